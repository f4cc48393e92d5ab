import { refsIn } from '../../src/engine/refs.ts'
import { countBy, longestChain, slowestChain } from './chains.ts'
import { connect, openCloud, traced } from './cloud.ts'
import { pending, planned, provision } from './provision.ts'
import { wish } from './tenants.ts'

/** Deploys `tenants`, then plans again as a new process would: the calls of that, and what it would change. */
export const measurePlan = async (tenants: number, { latencyMs = 0 } = {}) => {
  const wished = await wish(tenants)
  const cloud = await openCloud({ scale: 0.0005 })
  try {
    await provision(wished.cloud, await connect(cloud.url, 'bench'))
    const { send, calls } = traced(latencyMs)
    const clients = await connect(cloud.url, 'bench', { fetch: send })
    const began = performance.now()
    const plan = await planned(wished.cloud, clients)
    const ms = performance.now() - began
    return {
      calls: calls.length,
      routes: countBy(calls, { parents: true }),
      chain: longestChain(calls).calls,
      slowestMs: slowestChain(calls).ms,
      ms,
      depth: (await chainOfRefs(tenants)).length,
      changes: pending(plan),
    }
  } finally {
    await cloud.close()
    await wished.remove()
  }
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
