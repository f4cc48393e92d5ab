import { join } from 'node:path'
import { rolloutPlaybook } from '../../../playbooks/rollout.ts'
import { type Site, stageNames } from '../../../playbooks/site.ts'
import { createClients } from '../../../src/cli/clients.ts'
import { parse } from '../../../src/cli/flags.ts'
import { createOutput } from '../../../src/cli/output.ts'
import { createLeadership } from '../../../src/cli/rollout/leader.ts'
import { rollOut } from '../../../src/cli/rollout/run.ts'
import { isRollout } from '../../../src/cli/rollout/steps.ts'
import { undoRollout } from '../../../src/cli/rollout/undo.ts'
import type { Session } from '../../../src/cli/session.ts'
import type { Staged } from '../../../src/cli/staged.ts'
import type { EngineEvent } from '../../../src/engine/events.ts'
import { type Entry, newRunId, openJournal, readJournals } from '../../../src/engine/journal.ts'
import type { AnyKind } from '../../../src/engine/kind.ts'
import { makePlan } from '../../../src/engine/plan.ts'
import { countChanges } from '../../../src/engine/step.ts'
import { standing, type UndoOutcome } from '../../../src/engine/undo.ts'
import type { Progress } from '../../../src/report/progress.ts'
import type { Firewalls } from '../../../src/rollout/allowlist/firewall.ts'
import { eyesOn } from '../../../src/rollout/eyes.ts'
import { thing } from '../things.ts'
import type { Fleet } from './fleet.ts'
import { PROXIES, readInventory } from './inventory.ts'
import { type Cut, power, type Spent } from './power.ts'
import { proxyAt } from './street.ts'

/** Who hears of what a run does: lines of its journal before it goes on, writes before they go out. */
export type Ears = {
  line?: (entry: Entry) => void
  wrote?: (how: string, what: unknown) => void
  event?: (event: EngineEvent) => void
}

type At = Pick<Fleet, 'root' | 'log' | 'kubeconfig'>

/** The journals of a fleet: another name, another history. */
export const stateOf = ({ root }: Pick<Fleet, 'root'>, history: string): string => join(root, '.egress', history)

/** The rollout of the whole fleet, as deploy carries it out. What a power cut leaves open throws. */
export const forward = (fleet: At, history: string, cut: Cut = {}, ears: Ears = {}): Promise<Spent> =>
  inSession(fleet, history, cut, ears, async session => rollOut(await planned(session), quiet))

/** All of it back from the journal, as `rollback --to start` does it. */
export const back = async (fleet: At, history: string, cut: Cut = {}, ears: Ears = {}): Promise<Spent> =>
  inSession(fleet, history, cut, ears, async session => {
    const outcome = await undoRollout(session, standing(readJournals(session.state)).filter(isRollout), session.world)
    throwLeft(outcome)
  })

/** Looks at everything as a plan does, then has an eye on every workload for some seconds. */
export const follow = async (fleet: At, history: string): Promise<Spent> =>
  inSession(fleet, history, {}, {}, async session => {
    const { plan } = await planned(session)
    const { signal } = new AbortController()
    const eyes = session.context.tenants.flatMap(({ namespace, workloads }) =>
      workloads.map(it => eyesOn(session.clients.kube(fleet.kubeconfig), { namespace, ...it })),
    )
    await Promise.all(eyes.map(it => it.next(10_000, signal)))
    for (const it of eyes) it.close()
    if (plan.seen.size < eyes.length) throw new Error('not everything was looked at')
  })

const throwLeft = ({ failures, left }: UndoOutcome) => {
  if (failures.length > 0) throw failures[0]!.error
  if (left.length > 0) throw new Error(`left: ${left.join(', ')}`)
}

const inSession = async (
  fleet: At,
  history: string,
  cut: Cut,
  ears: Ears,
  work: (session: Session) => Promise<void>,
): Promise<Spent> => {
  const state = stateOf(fleet, history)
  const run = newRunId()
  const { context, problemAt } = await readInventory(fleet.root)
  const its = power(cut)
  const output = createOutput({ json: false }, { stdout: nowhere, stderr: nowhere })
  const kept = openJournal(state, run)
  const journal = its.journal(kept, ears.line ?? (() => undefined))
  const leading = { command: '50-rollout', run, state, context, journal, abort: its.signal }
  const leadership = its.leadership(createLeadership(leading, output))
  const clients = createClients(context, its.signal, output, { root: fleet.root, leadership })
  const kube = its.kubes(clients.kube, ears.wrote ?? (() => undefined))
  const world = {
    clientsFor(kind: AnyKind) {
      const { firewalls } = clients.clientsFor(kind) as { firewalls: Firewalls }
      return { kube, firewalls: its.firewalls(firewalls) }
    },
    ...{ journal, watch: ears.event ?? (() => undefined) },
    ...{ stop: its.signal, abort: its.signal },
  }
  const { flags } = parse('50-rollout', ['--context', 'fleet'])
  try {
    journal.record({ event: 'run-started', command: '50-rollout', context: 'fleet', pid: process.pid })
    await work({
      ...{ command: '50-rollout', context, problemAt, flags, root: fleet.root, state, run, output, journal, world },
      clients: { ...clients, kube, ssh: proxyAt(fleet.log) },
    })
    return its.spent
  } catch (thrown) {
    // Whatever a dead process would have said of it.
    its.signal.throwIfAborted()
    throw thrown
  } finally {
    // What is dead lets go of nothing.
    if (!its.signal.aborted) await leadership.release()
    await clients.close()
    kept.close()
  }
}

/** The plan of a rollout whose proxies, and all else before it, stand. */
const planned = async (session: Session): Promise<Staged> => {
  const phases = rolloutPlaybook(session.context, String(session.context.cluster.kubeconfig), [])
  const rollout = phases.flatMap(it => it.desired)
  const stands = PROXIES.flatMap(({ name, privateIp, publicIp }) => {
    const host = { name, address: privateIp, port: 22, user: 'root', hostKey: [] }
    return [
      thing(`flexible-ip/${name}`, { live: { address: publicIp } }),
      thing(`host-play/${name}`, { live: {}, want: { host } }),
    ]
  })
  const empty = Object.fromEntries(stageNames.map(it => [it, []]))
  const ids = { gatewayIp: '', cluster: '', kubeconfig: '', proxies: [], gateways: [] }
  const site = { stages: { ...empty, rollout }, phases, cloud: [], protectedIds: new Set(), ids } as unknown as Site
  const plan = await makePlan([...stands, ...rollout], session.world)
  return { session, site, plan, projectId: '', stages: ['rollout'], counts: countChanges([]), orphans: [] }
}

const nowhere = { write: () => true }
const quiet: Progress = { stage: (_title, run) => run(() => undefined), watch() {}, close: async () => undefined }
