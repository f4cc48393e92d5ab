import { keysOf, ours, type SeenRule, type UfwRule } from './ufw-rules.ts'
import type { UfwTask } from './ufw-task.ts'

type Seen = { ipv6: boolean; rules: SeenRule[] }
type Family = 'v4' | 'v6'

/** The first rule that matches counts, so order matters as soon as rules say different things. */
const ordered = (rules: UfwRule[]) => new Set(rules.map(it => (it.action === 'limit' ? 'allow' : it.action))).size > 1

const wantedIn = ({ rules }: UfwTask, { ipv6 }: Seen, family: Family) =>
  rules.flatMap(rule => keysOf(rule, ipv6)).filter(it => it.startsWith(family))

const seenIn = ({ rules }: Seen, family: Family, wanted: string[]) =>
  rules
    .filter(it => it.comment.startsWith(ours) && wanted.includes(it.key))
    .map(it => it.key)
    .filter(it => it.startsWith(family))

/** Families in which our rules are all right, but not in the order they are wanted in. */
export const misplaced = (task: UfwTask, seen: Seen): Family[] => {
  if (!ordered(task.rules)) return []
  return (['v4', 'v6'] as const).filter(family => {
    const wanted = wantedIn(task, seen, family)
    const there = seenIn(seen, family, wanted)
    const should = wanted.filter(it => there.includes(it))
    return should.some((key, n) => there[n] !== key)
  })
}

/** Where order matters, everything from the first rule on that is not in its place is put at the end again, in order. */
export const again = (task: UfwTask, seen: Seen): UfwRule[] => {
  if (!ordered(task.rules)) return []
  const late = new Set<string>()
  for (const family of ['v4', 'v6'] as const) {
    const wanted = wantedIn(task, seen, family)
    const there = seenIn(seen, family, wanted)
    const first = wanted.findIndex((key, n) => there[n] !== key)
    if (first >= 0) for (const key of wanted.slice(first)) late.add(key)
  }
  return task.rules.filter(rule => keysOf(rule, seen.ipv6).some(key => late.has(key)))
}
