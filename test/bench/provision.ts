import { applyPlan } from '../../src/engine/apply.ts'
import type { Desired } from '../../src/engine/desired.ts'
import type { EngineEvent } from '../../src/engine/events.ts'
import { type Journal, noJournal } from '../../src/engine/journal.ts'
import { makePlan, type Plan, throwAll } from '../../src/engine/plan.ts'
import type { World } from '../../src/engine/world.ts'
import type { ServerClients } from '../../src/scaleway/cloud-init.ts'

type Outside = { journal?: Journal; watch?: (event: EngineEvent) => void; signal?: AbortSignal | undefined }

const worldOf = (clients: ServerClients, outside: Outside): World => {
  const { journal = noJournal('bench'), watch = () => {}, signal = new AbortController().signal } = outside
  return { clientsFor: () => clients, journal, watch, stop: signal, abort: signal }
}

export const planned = (cloud: Desired[], clients: ServerClients, outside: Outside = {}): Promise<Plan> =>
  makePlan(cloud, worldOf(clients, outside))

/** Plans and applies as the commands do; throws what failed. */
export const provision = async (cloud: Desired[], clients: ServerClients, outside: Outside = {}) => {
  const world = worldOf(clients, outside)
  const outcome = await applyPlan(await makePlan(cloud, world), 'provision', world)
  throwAll(outcome.failures.map(it => it.error))
  return outcome
}

/** What a plan would change, as text. */
export const pending = ({ seen }: Plan): string[] =>
  [...seen.values()].flatMap(({ desired, step }) => (step ? [`${desired.id}: ${step.change.summary}`] : []))
