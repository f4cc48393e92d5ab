export type Traced = {
  at: number // epoch ms
  ms: number // from the request's head to the answer
  method: string
  path: string
  query: string
  status: number // 0: the connection was cut
  fault?: string
}

const most = 20_000

/** The last calls, oldest first, and how many there were of each route since the start. Of the body and the headers nothing is kept: a token is among them. */
export const createTrace = () => {
  let calls: Traced[] = []
  const counts: Record<string, number> = {}
  return {
    counts,
    add(call: Traced, template: string) {
      const key = `${call.method} ${template}`
      counts[key] = (counts[key] ?? 0) + 1
      calls.push(call)
      if (calls.length >= 2 * most) calls = calls.slice(-most)
    },
    calls: () => calls.slice(-most),
    clear() {
      calls = []
    },
  }
}
