import type { Entry } from './journal.ts'
import type { Json } from './json.ts'
import type { Change } from './kind.ts'
import { look, type Plan, type Seen } from './plan.ts'
import { Problem } from './problem.ts'
import { goesWith } from './replacement.ts'
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

export type ApplyOptions = {
  /** Ids to make true; the rest is only looked at for values. */
  only?: readonly string[]
  width?: number
  /** Ids one batch after the other: each begins when the one before is over. What is in none waits for nobody. */
  batches?: readonly (readonly string[])[]
  /** How many may fail before nothing new is started; what stood on a failed one is not reached in any case. */
  mayFail?: number
  /** Asked of each thing right before it is changed, with what is seen now: throws where that must not be done. */
  admit?: (seen: Seen) => void
}

/**
 * Makes a part of a plan true. Independent steps run side by side; each is written down before it is done.
 * After a failure, or more of them than may be, nothing new is started and what is under way is finished.
 */
export const applyPlan = async (
  plan: Plan,
  group: string,
  world: World,
  { only = [...plan.seen.keys()], width = 64, admit = () => undefined, batches = [], mayFail = 0 }: ApplyOptions = {},
): Promise<Outcome> =>
  actAll(
    plan,
    only,
    id => plan.seen.get(id)?.parents ?? [],
    { width, mayFail, waitsFor: earlier(batches) },
    world,
    async (id, now) => {
      const seen = await freshLook(id, now, world)
      admit(seen)
      const live = seen.step ? await applyStep(seen, group, world, now.seen) : seen.live
      return { seen: { ...seen, live, step: null, was: undefined }, change: seen.step?.change ?? null }
    },
  )

/**
 * Takes down, children first, what lives in things that will be replaced, so that `applyPlan` can replace them and
 * make it again. What runs inside goes with it. One-way; a run that ends half-way is gone on with by the next plan.
 */
export const takeDown = async (plan: Plan, group: string, world: World, { width = 16 } = {}): Promise<Outcome> => {
  const going = [...plan.seen.values()].filter(it => it.was !== undefined)
  const children = new Map<string, string[]>(going.map(it => [it.desired.id, []]))
  for (const { desired, parents } of going) for (const it of parents) children.get(it)?.push(desired.id)
  const ids = going.map(it => it.desired.id).reverse()
  return actAll(
    plan,
    ids,
    id => children.get(id) ?? [],
    { width },
    world,
    async (id, { seen }) => {
      const { desired, live, was = null, step, ...rest } = seen.get(id)!
      const change: Change = { action: 'delete', summary: `take down ${id}` }
      await clear({ desired, live, want: was, step: { ...step!, change } }, group, world)
      const again: Change = { action: 'create', summary: `make ${id} again` }
      return { seen: { ...rest, desired, live: null, step: { ...step!, change: again } }, change }
    },
  )
}

/** Whom each waits for: all of the batch before its own. */
const earlier = (batches: readonly (readonly string[])[]) => {
  const before = new Map(batches.flatMap((batch, at) => batch.map(id => [id, batches[at - 1] ?? []] as const)))
  return (id: string) => before.get(id) ?? []
}

type Acted = { seen: Seen; change: Change | null }

/** Acts on one thing after the other, as far as it goes; `act` is given what is known by then. */
const actAll = async (
  plan: Plan,
  ids: readonly string[],
  firstOf: (id: string) => readonly string[],
  { mayFail = 0, ...walk }: { width: number; mayFail?: number; waitsFor?: (id: string) => readonly string[] },
  world: World,
  act: (id: string, now: Plan) => Promise<Acted>,
): Promise<Outcome> => {
  const now = new Map(plan.seen)
  const changed = new Set(plan.changed)
  const outcome: Outcome = { plan: { seen: now, changed }, changes: new Map(), failures: [], skipped: [] }
  const visit = async (id: string): Promise<boolean> => {
    if (outcome.failures.length > mayFail || world.stop.aborted) {
      outcome.skipped.push(id)
      return false
    }
    const began = Date.now()
    try {
      const { seen, change } = await act(id, outcome.plan)
      now.set(id, seen)
      if (change) changed.add(id)
      outcome.changes.set(id, change)
      if (change) world.watch({ event: 'step-done', step: id, durationMs: Date.now() - began })
      return true
    } catch (error) {
      tryRecord(world, { event: 'failed', step: id, error: textOf(error) })
      world.watch({ event: 'step-failed', step: id, error, durationMs: Date.now() - began })
      outcome.failures.push({ step: id, error })
      return false
    }
  }
  const left = await walkGraph(ids, firstOf, visit, walk)
  outcome.skipped.push(...left)
  return outcome
}

/** What the plan saw still holds unless a parent has changed since, or it could not be seen at all. */
const freshLook = async (id: string, { seen, changed }: Plan, world: World) => {
  const planned = seen.get(id)!
  const stale = (planned.step?.unknown.length ?? 0) > 0 || planned.parents.some(parent => changed.has(parent))
  return stale ? look(planned.desired, planned.parents, seen, world) : planned
}

const applyStep = async (it: Seen, group: string, world: World, all: Plan['seen']): Promise<Json> => {
  const { desired, want, live, step } = it
  const { id, unknown, change } = step!
  if (unknown.length > 0) {
    throw new Problem(`${id} lacks what others give`, {
      why: `not there yet: ${unknown.join(', ')}`,
      next: 'deploy these first: leave out --tags, or name their stage too',
    })
  }
  if (!(desired.kind.holds && change.action === 'replace')) return make({ ...it, step: step! }, group, world)
  await clear({ desired, want, live, step: step! }, group, world)
  for (const inside of goesWith(all, id)) world.journal.record({ event: 'undone', step: inside })
  const again: Change = { ...change, action: 'create' }
  return make({ desired, want, live: null, step: { ...step!, change: again }, told: true }, group, world)
}

type Acting = Pick<Seen, 'desired' | 'want' | 'live'> & {
  step: NonNullable<Seen['step']>
  /** Its start was shown. */
  told?: boolean
}

const make = async (it: Acting, group: string, world: World): Promise<Json> => {
  const { desired, want, live, step } = it
  const clients = await begin(it, group, world)
  const result: Json = await desired.kind.apply(want, clients, live, reportFor(step.id, world))
  world.journal.record({ event: 'done', step: step.id, now: result })
  return result
}

/** Makes a thing not be there, for good. */
const clear = async (it: Acting, group: string, world: World): Promise<void> => {
  const { desired, want, live, step } = it
  if (!desired.kind.undo)
    throw new Problem(`${step.id} can't be taken down`, {
      why: `a ${desired.kind.name} is one-way`,
      next: 'take it down by hand, then deploy',
    })
  const clients = await begin(it, group, world, { oneWay: true })
  await desired.kind.undo(want, clients, null, live, reportFor(step.id, world))
  world.journal.record({ event: 'done', step: step.id, now: null })
}

/** Written down before it is done. */
const begin = async (
  { desired: { kind }, want, live, step, told = false }: Acting,
  group: string,
  world: World,
  mark: { oneWay?: true } = {},
) => {
  const clients = await world.clientsFor(kind)
  const { id, needs, change } = step
  world.journal.record({
    event: 'started',
    step: id,
    kind: kind.name,
    group,
    needs,
    want,
    before: live,
    change,
    ...mark,
  })
  if (!told) world.watch({ event: 'step-started', step })
  return clients
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
