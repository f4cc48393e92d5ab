import { politePace } from '../../src/scaleway/pace.ts'
import { chainOfRefs, measurePlan } from './economy.ts'
import type { Bench } from './run.ts'

/** What looking costs: calls by route, the longest chain of them, and the time at 50 ms a call. */
export const plan: Bench = async () => {
  const rows: string[][] = []
  for (const tenants of [2, 10, 50, 200]) {
    const { calls, routes, chain, slowestMs, ms, depth, changes } = await measurePlan(tenants, { latencyMs: 50 })
    if (changes.length > 0) throw new Error(`the second plan is not empty: ${changes.join(', ')}`)
    const perServer = [...routes].filter(([route]) => route.endsWith('/user_data/cloud-init'))
    const userData = perServer.reduce((sum, [, count]) => sum + count, 0)
    rows.push([
      `${tenants}`,
      `${calls}`,
      `${calls - userData}`,
      `${userData}`,
      `${chain.length}`,
      `${depth}`,
      ms.toFixed(0),
      slowestMs.toFixed(0),
      (ms / slowestMs).toFixed(2),
    ])
  }
  const chain = await chainOfRefs(2)
  return {
    title: 'Plan of an unchanged context, 50 ms a call',
    head: ['tenants', 'calls', 'lists', 'user data', 'chain', 'depth of ids', 'ms', 'slowest chain ms', 'ratio (< 2)'],
    rows,
    notes: [
      `the depth of ids: ${chain.join(' > ')}`,
      'the fastest of four, as other work on the machine is not ours to measure',
      'user data is the one thing of which the API has no list',
      `the pace lets at most ${politePace.perSecond} calls begin in any one second`,
    ],
  }
}
