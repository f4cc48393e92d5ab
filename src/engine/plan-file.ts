import { createHash } from 'node:crypto'
import { canonical, type Json, sameJson } from './json.ts'
import type { Change } from './kind.ts'
import type { Seen } from './plan.ts'
import { Problem } from './problem.ts'

/** One Desired as a plan announced it. `live`: a hash of what was there; `want` with its Refs. */
export type Announced = {
  id: string
  kind: string
  want: Json
  live: string | null
  change: Change | null
  unknown: string[]
  /** It is taken down and made again, as it lives in something that is replaced. */
  madeAgain: boolean
}

export const announce = (seen: Iterable<Seen>): Announced[] =>
  [...seen].map(({ desired, live, step, was }) => ({
    id: desired.id,
    kind: desired.kind.name,
    want: desired.want,
    live: live === null ? null : createHash('sha256').update(canonical(live)).digest('hex'),
    change: step?.change ?? null,
    unknown: step?.unknown ?? [],
    madeAgain: was !== undefined,
  }))

/** What is no longer as announced, a line each. Things without a change may differ in what nobody asked for. */
export const movedSince = (planned: readonly Announced[], now: readonly Announced[]): string[] => {
  const later = new Map(now.map(it => [it.id, it]))
  const earlier = new Set(planned.map(it => it.id))
  return [
    ...planned.flatMap(it => {
      const line = moved(it, later.get(it.id))
      return line ? [`${it.id}: ${line}`] : []
    }),
    ...now.flatMap(it => (earlier.has(it.id) ? [] : [`${it.id}: not in the plan`])),
  ]
}

const moved = (then: Announced, now: Announced | undefined): string | null => {
  if (!now) return 'no longer in the inventory'
  if (!sameJson(then.want, now.want)) return 'the inventory wants something else now'
  const [planned, today] = [then.change?.action, now.change?.action]
  if (planned !== today) return `planned ${planned ?? 'nothing'}, now ${todaysWord(planned, today)}`
  if (!sameJson(then.change, now.change)) return `planned ${planned}, now another: ${now.change!.summary}`
  if (!sameJson(then.unknown, now.unknown)) return `planned after ${list(then.unknown)}, now after ${list(now.unknown)}`
  if (planned && then.live !== now.live) return `planned ${planned}, but it is not as it was then`
  return null
}

const todaysWord = (planned: string | undefined, today: string | undefined): string => {
  if (today === undefined) return planned === 'create' ? 'there is one already' : 'there is nothing to do'
  return today === 'create' ? 'it is not there' : today
}

const list = (ids: readonly string[]) => ids.join(', ') || 'nothing'

/** Lets nothing be changed that was not announced: to be asked right before each change. */
export const onlyAnnounced =
  (planned: readonly Announced[]) =>
  ({ desired, step }: Pick<Seen, 'desired' | 'step'>): void => {
    const then = planned.find(it => it.id === desired.id)
    if (!step || isAnnounced(then, step.change.action, desired.kind.looksThroughParents === true)) return
    throw new Problem(`${desired.id} is not as the plan said`, {
      why: `planned ${then?.change?.action ?? 'nothing'}, now ${step.change.action}: ${step.change.summary}`,
      next: 'what was done before it stands; look with deploy.mjs --check, save a new plan and apply that',
    })
  }

/** What could not be seen through its parents was announced as such: it may turn out to be there in part. */
const isAnnounced = (then: Announced | undefined, action: Change['action'], through: boolean): boolean => {
  if (!then?.change) return false
  if (then.madeAgain) return action === 'create'
  if (then.unknown.length > 0 && through) return action === 'create' || action === 'update'
  // Foreseen with a parent that is replaced, and it can be spared.
  if (then.unknown.length > 0 && then.change.action === 'replace' && action === 'update') return true
  return then.change.action === action
}
