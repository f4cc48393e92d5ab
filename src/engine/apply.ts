import type { Entry } from './journal.ts'
import type { Json } from './json.ts'
import type { Change } from './kind.ts'
import { look, type Plan, type Seen } from './plan.ts'
import { Problem } from './problem.ts'
import { walkGraph } from './walk.ts'
import { reportFor, type World } from './world.ts'

export type Outcome = {
  /** What is known now: the plan to go on with. */
  plan: Plan
  /** The changes that were made (null: nothing to do), by id. */
  changes: Map<string, Change | null>
  failures: { step: string; error: unknown }[]
  /** Ids that were not reached, because a parent failed or the run was stopped. */
  skipped: string[]
}

/**
 * Makes a part of a plan true (`only`: ids); the rest is only looked at for values. Independent steps run side by side; each is written down before it is done.
 * After a failure nothing new is started and what is under way is finished.
 */
export const applyPlan = async (
  plan: Plan,
  group: string,
  world: World,
  { only = [...plan.seen.keys()], width = 16 }: { only?: readonly string[]; width?: number } = {},
): Promise<Outcome> => {
  const now = new Map(plan.seen)
  const changed = new Set(plan.changed)
  const outcome: Outcome = { plan: { seen: now, changed }, changes: new Map(), failures: [], skipped: [] }
  const visit = async (id: string): Promise<boolean> => {
    if (outcome.failures.length > 0 || world.stop.aborted) {
      outcome.skipped.push(id)
      return false
    }
    const began = Date.now()
    try {
      const seen = await freshLook(id, outcome.plan, world)
      const live = seen.step ? await applyStep(seen, group, world) : seen.live
      now.set(id, { ...seen, live, step: null })
      if (seen.step) changed.add(id)
      outcome.changes.set(id, seen.step?.change ?? null)
      if (seen.step) world.watch({ event: 'step-done', step: id, durationMs: Date.now() - began })
      return true
    } catch (error) {
      tryRecord(world, { event: 'failed', step: id, error: textOf(error) })
      world.watch({ event: 'step-failed', step: id, error, durationMs: Date.now() - began })
      outcome.failures.push({ step: id, error })
      return false
    }
  }
  const left = await walkGraph(only, id => plan.seen.get(id)?.parents ?? [], visit, { width })
  outcome.skipped.push(...left)
  return outcome
}

/** What the plan saw still holds unless a parent has changed since, or it could not be seen at all. */
const freshLook = async (id: string, { seen, changed }: Plan, world: World) => {
  const planned = seen.get(id)!
  const stale = (planned.step?.unknown.length ?? 0) > 0 || planned.parents.some(parent => changed.has(parent))
  return stale ? look(planned.desired, planned.parents, seen, world) : planned
}

const applyStep = async ({ desired, want, live, step }: Seen, group: string, world: World): Promise<Json> => {
  const { id, needs, change, unknown } = step!
  if (unknown.length > 0) {
    throw new Problem(`${id} lacks what others give`, {
      why: `not there yet: ${unknown.join(', ')}`,
      next: 'deploy these first: leave out --tags, or name their stage too',
    })
  }
  const clients = await world.clientsFor(desired.kind)
  world.journal.record({
    event: 'started',
    step: id,
    kind: desired.kind.name,
    group,
    needs,
    want,
    before: live,
    change,
  })
  world.watch({ event: 'step-started', step: step! })
  const result: Json = await desired.kind.apply(want, clients, live, reportFor(id, world))
  world.journal.record({ event: 'done', step: id, now: result })
  return result
}

/** For what is only told, not relied on: a journal that can't be written has already failed the step. */
export const tryRecord = ({ journal }: Pick<World, 'journal'>, entry: Entry): void => {
  try {
    journal.record(entry)
  } catch {}
}

/** What goes to the journal of an error: a Problem's text; of a bug only the message, never its data. */
export const textOf = (error: unknown): string =>
  withoutPasswords(
    error instanceof Problem
      ? `${error.message}: ${error.why}`
      : error instanceof Error
        ? error.message
        : String(error),
  )

/** URLs may carry credentials, e.g. of a proxy. */
export const withoutPasswords = (text: string): string => text.replace(/\/\/[^\s/@"']+@/g, '//***@')
