import type { Desired } from '../../src/engine/desired.ts'
import { refsIn } from '../../src/engine/refs.ts'
import { createPace } from '../../src/scaleway/pace.ts'
import { countBy, longestChain, slowestChain } from './chains.ts'
import { connect, openCloud, traced, unhurried } from './cloud.ts'
import { pending, planned, provision } from './provision.ts'
import { wish } from './tenants.ts'

/** Deploys `tenants`, then plans again as a new process would: the calls of that, and what it would change. */
export const measurePlan = async (tenants: number, { latencyMs = 0 } = {}) => {
  const wished = await wish(tenants)
  const cloud = await openCloud({ scale: 0.0005 })
  try {
    await provision(wished.cloud, await connect(cloud.url, 'bench', { pace: unhurried() }))
    const polite = await timePlan(wished.cloud, cloud.url, latencyMs)
    // The first one also compiles the code; of the others the faster is the less disturbed by what else runs here.
    for (let again = 0; again < 3; again++)
      polite.ms = Math.min(polite.ms, (await timePlan(wished.cloud, cloud.url, latencyMs)).ms)
    // A paced call seems to follow on whatever ended before it: what really follows on what shows without the pace.
    const { calls } = await timePlan(wished.cloud, cloud.url, latencyMs, unhurried())
    return {
      calls: polite.calls.length,
      routes: countBy(polite.calls, { parents: true }),
      chain: longestChain(calls).calls,
      slowestMs: slowestChain(calls).ms,
      ms: polite.ms,
      depth: (await chainOfRefs(tenants)).length,
      changes: polite.changes,
    }
  } finally {
    await cloud.close()
    await wished.remove()
  }
}

/** All calls of a first deploy. */
export const callsOfDeploy = async (tenants: number): Promise<number> => {
  const wished = await wish(tenants)
  const cloud = await openCloud({ scale: 0.01 })
  try {
    const { send, calls } = traced(20)
    await provision(wished.cloud, await connect(cloud.url, 'bench', { fetch: send, pace: unhurried() }))
    return calls.length
  } finally {
    await cloud.close()
    await wished.remove()
  }
}

const timePlan = async (wished: Desired[], url: string, latencyMs: number, pace = createPace()) => {
  const { send, calls } = traced(latencyMs)
  const clients = await connect(url, 'bench', { fetch: send, pace })
  const began = performance.now()
  const plan = await planned(wished, clients)
  return { calls, ms: performance.now() - began, changes: pending(plan) }
}

/** The longest way through the resource graph along which each thing takes a value (an id) of the one before. */
export const chainOfRefs = async (tenants: number): Promise<string[]> => {
  const { cloud, remove } = await wish(tenants)
  await remove()
  const chains = new Map<string, string[]>()
  const byId = new Map(cloud.map(it => [it.id, it]))
  const chainTo = (id: string): string[] => {
    const known = chains.get(id)
    if (known) return known
    const above = refsIn(byId.get(id)!.want).map(chainTo)
    const longest = above.reduce((a, b) => (b.length > a.length ? b : a), [])
    chains.set(id, [...longest, id])
    return chains.get(id)!
  }
  return cloud.map(it => chainTo(it.id)).reduce((a, b) => (b.length > a.length ? b : a), [])
}
