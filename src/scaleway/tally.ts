import type { Call } from './http.ts'
import { routeOf } from './route.ts'

/** Calls made so far. `by`: e.g. `vpc GET`. A try that was made again counts each time, and as a retry. */
export type Tally = { calls: number; retries: number; unanswered: number; by: Record<string, number> }

export const createTally = () => {
  const tally: Tally = { calls: 0, retries: 0, unanswered: 0, by: {} }
  return {
    count({ method, path, attempt, status }: Call) {
      const key = `${routeOf(`http://api${path}`).service} ${method}`
      tally.calls++
      tally.by[key] = (tally.by[key] ?? 0) + 1
      if (attempt > 1) tally.retries++
      if (status === null) tally.unanswered++
    },
    read: (): Tally => ({ ...tally, by: { ...tally.by } }),
  }
}
