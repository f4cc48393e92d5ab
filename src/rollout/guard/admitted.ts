import { setTimeout as delay } from 'node:timers/promises'
import { KubeProblem } from '../kube/problem.ts'

const WITHIN_MS = 20_000

/**
 * Does what our own policy allows to us. Each of several API servers hears in its own time that the policy is another,
 * such as one of an earlier version that went by the Lease: until then it may refuse, and is asked again, 20 s at most.
 */
export const admitted = async <T>(act: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
  const until = performance.now() + WITHIN_MS
  for (let pause = 100; ; pause = Math.min(pause * 1.5, 1000)) {
    try {
      return await act()
    } catch (thrown) {
      const ours =
        thrown instanceof KubeProblem && thrown.status === 403 && thrown.why.includes("'kapsule-egress-label-")
      if (!ours || performance.now() > until) throw thrown
      await delay(pause, undefined, signal ? { signal } : {})
    }
  }
}
