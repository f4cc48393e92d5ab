import { sameJson } from '../engine/json.ts'
import type { BundleStep } from './bundle.ts'

/**
 * Neighbours that could cut us off in the same way are one change with one confirmation: the files of a firewall only
 * make sense together, are brought in force once, and each login costs the host more than all of them.
 */
export const joined = (steps: readonly BundleStep[]): BundleStep[] => {
  const all: BundleStep[] = []
  for (const step of steps) {
    const last = all.at(-1)
    if (last && mayJoin(last, step)) all[all.length - 1] = join(last, step)
    else all.push(step)
  }
  return all
}

const mayJoin = (a: BundleStep, b: BundleStep): boolean =>
  a.guard !== null && b.guard !== null && sameJson(a.guard, b.guard) && !bounded(a) && !bounded(b)

const bounded = ({ timeoutSeconds, retries }: BundleStep) => timeoutSeconds !== undefined || retries !== undefined

/** Both in one shell, back in the opposite order. */
const join = (a: BundleStep, b: BundleStep): BundleStep => ({
  title: `${a.title}, ${b.title}`,
  run: `${a.run}\n${b.run}`,
  back: `${b.back}\n${a.back}`,
  notify: [...new Set([...a.notify, ...b.notify])],
  live: a.live || b.live,
  guard: a.guard,
})
