import type { Desired } from './desired.ts'
import { graphOf } from './graph.ts'
import type { Json } from './json.ts'
import type { AnyKind, Change } from './kind.ts'
import { Problem, Problems } from './problem.ts'
import { refsIn, resolve, standIns } from './refs.ts'
import type { Step } from './step.ts'
import { walkGraph } from './walk.ts'
import { reportFor, type World } from './world.ts'

/** One Desired as it was seen. `step` null: nothing to do. */
export type Seen = {
  desired: Desired
  parents: string[]
  want: Json
  live: Json | null
  step: Step | null
  /** Why it could not be looked at yet. */
  problem?: Problem
  /** Set where it must go before a thing that it lives in is replaced: its want as it was made with. */
  was?: Json
}

/** `seen`: parents first. `changed`: ids that were changed since they were planned; their children are looked at again. */
export type Plan = { seen: ReadonlyMap<string, Seen>; changed: ReadonlySet<string> }

/**
 * Looks at everything, changes nothing. Independent things are looked at side by side. With `later`, what cannot be
 * looked at through its parents now (a host that still boots) is left to the moment it is applied.
 */
export const makePlan = async (
  desired: readonly Desired[],
  outside: World,
  { later = false }: { later?: boolean } = {},
): Promise<Plan> => {
  const world = { ...outside, planning: true }
  const { order, parents } = graphOf(desired)
  const byId = new Map(order.map(it => [it.id, it]))
  const seen = new Map<string, Seen>()
  const errors: unknown[] = []
  const ahead = askAhead(order, world)
  const visit = async (id: string) => {
    try {
      seen.set(id, await look(byId.get(id)!, parents.get(id) ?? [], seen, world))
      return true
    } catch (error) {
      // What is wrong in the inventory is no better later.
      const put =
        later && error instanceof Problem && error.exit !== 2 && byId.get(id)!.kind.looksThroughParents === true
      if (put) seen.set(id, putOff(byId.get(id)!, parents.get(id) ?? [], error))
      else errors.push(error)
      return put
    }
  }
  // Looking takes values only: what merely comes first when things are made is not waited for.
  const takesFrom = new Map(order.map(it => [it.id, refsIn(it.want)]))
  await walkGraph([...byId.keys()], id => takesFrom.get(id)!, visit, { width: 256 })
  await ahead
  throwAll(errors)
  return { seen: new Map(order.flatMap(({ id }) => (seen.has(id) ? [[id, seen.get(id)!]] : []))), changed: new Set() }
}

/** Every Kind once. A failure here is found again, and told, by the read that needed the answer. */
const askAhead = (desired: readonly Desired[], world: World): Promise<unknown> =>
  Promise.allSettled(
    [...new Set(desired.map(it => it.kind))].map(async kind => kind.ahead?.(await world.clientsFor(kind))),
  )

/** Looks at one thing, given what is known of its parents. */
export const look = async (
  desired: Desired,
  parents: string[],
  seen: ReadonlyMap<string, Seen>,
  world: World,
): Promise<Seen> => {
  // Of what will be replaced nobody knows yet what it will give.
  const { value: want, missing } = resolve(desired.want, {
    get: id => (isReplaced(seen.get(id)) ? null : seen.get(id)?.live),
  })
  const pending = parents.filter(id => seen.get(id)?.step)
  // Only what it takes values from is looked through; what merely comes first is not in the way.
  const unready = refsIn(desired.want).filter(id => isUnready(seen.get(id)?.step?.change))
  const blind = missing.length > 0 ? missing : desired.kind.looksThroughParents ? unready : []
  const step = (change: Change): Step => ({
    id: desired.id,
    kind: desired.kind.name,
    needs: parents,
    want,
    change,
    unknown: blind,
    oneWay: !desired.kind.undo,
    ...(desired.kind.looksOnly && { looksOnly: true }),
  })
  if (blind.length > 0) {
    const notPending = missing.find(id => !pending.includes(id))
    if (notPending) throw new Error(`${desired.id} refers to a value that ${notPending} does not give`)
    const there = await lookBehind(desired, missing, seen, world)
    if (there?.homes.length) {
      const { live, was, homes } = there
      return { desired, parents, want, live, was, step: step(madeAgain(homes)) }
    }
    const change = foresee(desired.kind, want, there?.live ?? null, blind)
    return { desired, parents, want, live: there?.live ?? null, step: step(change) }
  }
  const clients = await world.clientsFor(desired.kind)
  const live = await desired.kind.read(want, clients, reportFor(desired.id, world))
  const change = desired.kind.diff(want, live)
  return { desired, parents, want, live, step: change ? step(change) : null }
}

/**
 * What stands behind parents that will be replaced, looked at with the values they give now; null: nothing.
 * `homes`: those parents that it can't outlive. What is looked at through its parents just goes with them.
 */
const lookBehind = async (desired: Desired, missing: string[], seen: ReadonlyMap<string, Seen>, world: World) => {
  if (desired.kind.looksThroughParents || !missing.some(id => isReplaced(seen.get(id)))) return null
  const { value: was, missing: gone } = resolve(desired.want, { get: id => seen.get(id)?.live })
  if (gone.length > 0) return null
  const clients = await world.clientsFor(desired.kind)
  const live: Json | null = await desired.kind.read(was, clients, reportFor(desired.id, world))
  if (live === null) return null
  const homes = missing.filter(id => isHome(seen.get(id)))
  return { live, was, homes }
}

/**
 * What it will take, told by its own diff with words in place of the values that are not known: they will be others
 * than before. What is looked at through its parents may be there in part: only the sort of change can be told.
 */
const foresee = (kind: AnyKind, want: Json, live: Json | null, blind: string[]): Change => {
  const through = kind.looksThroughParents === true
  const summary = `looked at after ${blind.join(', ')}`
  const change = (() => {
    try {
      return kind.diff(standIns(want), live)
    } catch {
      return null // its diff needs the values themselves
    }
  })()
  if (change && !through) return change
  return { action: change?.action ?? (live === null && !through ? 'create' : 'update'), summary }
}

const isReplaced = (it: Seen | undefined) => it?.step?.change.action === 'replace'

const isHome = (it: Seen | undefined) => isReplaced(it) && (it?.desired.kind.holds === true || it?.was !== undefined)

const madeAgain = (homes: string[]): Change => ({
  action: 'replace',
  summary: 'taken down and made again',
  why: `it lives in ${homes.join(', ')}`,
})

const isUnready = (change: Change | undefined) =>
  change !== undefined && (change.action === 'create' || change.action === 'replace' || change.unready === true)

const putOff = (desired: Desired, parents: string[], problem: Problem): Seen => {
  const { id, kind, want } = desired
  const change: Change = { action: 'update', summary: `${problem.message}: looked at again later` }
  const step = { id, kind: kind.name, needs: parents, want, change, unknown: [id], oneWay: !kind.undo }
  return { desired, parents, want, live: null, step, problem }
}

/** One problem as itself, several together; a bug before any of them. */
export const throwAll = (errors: readonly unknown[]): void => {
  if (errors.length === 0) return
  const bug = errors.find(it => !(it instanceof Problem || it instanceof Problems))
  if (bug) throw bug
  const problems = errors.flatMap(it => (it instanceof Problems ? it.all : [it as Problem]))
  throw problems.length === 1 ? problems[0] : new Problems(problems)
}
