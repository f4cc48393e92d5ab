import type { LeaseObject } from './lease.ts'

/**
 * Tells, look by look, whether who holds a Lease is dead: it was not renewed for its duration. Clocks are not compared,
 * and what others note on it is no sign of life.
 */
export const createPulse = () => {
  let last: string | undefined
  let since = performance.now()
  return (spec: LeaseObject['spec'] | null): boolean => {
    const now = JSON.stringify(spec ?? null)
    if (now !== last) {
      last = now
      since = performance.now()
    }
    return !!spec?.holderIdentity && performance.now() - since > (spec.leaseDurationSeconds ?? 15) * 1000
  }
}
