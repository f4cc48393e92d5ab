import { Problem } from '../engine/problem.ts'
import { isDoubtful, statusOf } from '../scaleway/problems.ts'

/**
 * Problems that ask for one and the same thing, told once: a plan looks side by side, so a wrong key is refused as
 * often as it is shown. A call that was refused or not answered counts by what is to be done about it, all else by
 * its whole text.
 */
export const alike = (problems: readonly Problem[]): Problem[] => {
  const groups = new Map<string, Problem[]>()
  for (const it of problems) {
    const status = statusOf(it)
    const oneCause = status === undefined ? isDoubtful(it) : status === 401 || status === 403
    const key = JSON.stringify(oneCause ? [it.next] : [it.message, it.why, it.next])
    groups.set(key, [...(groups.get(key) ?? []), it])
  }
  return [...groups.values()].map(([first, ...others]) => {
    const more = new Set(others.map(it => it.message).filter(it => it !== first!.message)).size
    if (more === 0) return first!
    const { message, why, next, exit, cause } = first!
    return new Problem(`${message} (and ${more} more like it)`, { why, next, exit, cause })
  })
}
