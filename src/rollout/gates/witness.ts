import { randomBytes } from 'node:crypto'
import { fail, inconclusive, pass, type Verdict } from './measure.ts'
import type { Subject } from './subject.ts'

/** What the proxy wrote down about one request, by the user agent that it came with. */
export type Witnessed = {
  /** When it ended, in milliseconds. */
  time: number
  agent: string
  /** null: from nobody's client address. */
  tenant: string | null
  verdict: string | null
  /** The proxy's own address it was dialled from; null: nothing was dialled. */
  egress: string | null
  client: string
  host: string
}

/** What every request of ours is named, unless it says more. */
export const OUR_AGENT = 'egress-probe'

/** User agents of their own for the requests of one measurement: `of(n)` is the n-th, and all hold `mark`. */
export const marks = () => {
  const mark = `${OUR_AGENT}-${randomBytes(6).toString('hex')}`
  return { mark, of: (n: number) => `${mark}-${n}-` }
}

/**
 * The second witness to requests that pods saw answered: the proxy says that each was this tenant's, allowed, and
 * left by a fixed address. Behind address translation its own private address is all that it can see.
 */
export const judgeWitness = (
  { tenant, proxies }: Pick<Subject, 'tenant' | 'proxies'>,
  agents: readonly string[],
  lines: readonly Witnessed[] | null,
): Verdict => {
  if (!lines) return inconclusive("the proxy's log could not be read")
  const own = proxies.flatMap(it => [it.publicIp, it.address])
  let missing = 0
  for (const agent of agents) {
    const line = lines.find(it => it.agent === agent)
    if (!line) missing++
    else if (line.tenant !== tenant)
      return fail(`${line.client} to ${line.host}: the proxy took it for ${line.tenant ?? 'nobody'}, not ${tenant}`)
    else if (line.verdict !== 'allowed' && line.verdict !== 'would_deny')
      return fail(`${line.client} to ${line.host}: answered, but ${line.verdict ?? 'not decided'} in the proxy's log`)
    else if (!line.egress || !own.includes(line.egress))
      return fail(`${line.client} to ${line.host}: left by ${line.egress ?? 'nothing'}, as the proxy's log says`)
  }
  return missing > 0 ? inconclusive(`${missing} of ${agents.length} requests are not in the proxy's log`) : pass
}
