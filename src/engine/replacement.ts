import type { Seen } from './plan.ts'
import { refsIn } from './refs.ts'

type All = ReadonlyMap<string, Seen>

/** Everything that takes values from a thing, also through others: parents first. */
const dependentsOf = (all: All, id: string): string[] => {
  const reached = new Set([id])
  const found: string[] = []
  // A plan knows parents before their children.
  for (const [child, { desired }] of all) {
    if (!refsIn(desired.want).some(it => reached.has(it))) continue
    reached.add(child)
    found.push(child)
  }
  return found
}

/** What is only seen through a thing (files on a host, objects in a cluster), and so goes when it goes. */
export const goesWith = (all: All, id: string): string[] =>
  dependentsOf(all, id).filter(it => all.get(it)!.desired.kind.looksThroughParents === true)

export type Replacement = {
  id: string
  /** Why it cannot be changed in place. */
  why: string
  /** Other things live in it: `takesDown` goes first, in this order, and is made again. */
  holds: boolean
  takesDown: string[]
  /** What takes values from it and is looked at again, or made again, after it. */
  affects: string[]
}

/** What will be replaced of its own accord, not only because it lives in such a thing. */
export const replacementsIn = (all: All): Replacement[] =>
  [...all].flatMap(([id, { desired, step, was }]) => {
    if (step?.change.action !== 'replace' || was !== undefined) return []
    const affects = dependentsOf(all, id)
    const takesDown = desired.kind.holds ? affects.filter(it => all.get(it)?.was !== undefined).reverse() : []
    const { why = 'it cannot be changed in place', summary } = step.change
    return [{ id, why: why || summary, holds: desired.kind.holds === true, takesDown, affects }]
  })
