import { Problem, Problems } from '../engine/problem.ts'
import { type Context, type ProxyHost, proxiesIn, type Tenant } from '../inventory/context.ts'
import type { Place, ProblemAt } from '../inventory/load.ts'

/** Problems of a wish that was written in the inventory, with the line where it was. */
export const placed = (error: unknown, context: Context, problemAt: ProblemAt): unknown => {
  if (error instanceof Problems) return new Problems(error.all.map(it => placed(it, context, problemAt) as Problem))
  if (!(error instanceof Problem) || !error.of || error.exit !== 2) return error
  return problemAt(placeOf(error.of, context), error.message, error.why, error.next)
}

/** Where in the inventory the value of a step was written; a step may also be a place, e.g. `network.vpc`. */
export const placeOf = ({ step, field }: { step: string; field: string }, { cluster, tenants }: Context): Place => {
  if (field === 'project') return { tenant: null, path: ['scaleway', 'projectId'] }
  const [kind = '', ...rest] = step.split('/')
  const name = rest.join('/')
  const fields: Record<string, string> = { address: 'privateIp' }
  const proxy = proxiesIn({ tenants }).find(it => it.proxy.name === name)
  const owner = tenants.find(it => it.pool.name === name)
  const own = cluster.pools.findIndex(it => it.name === name)
  if ((kind === 'server' || kind === 'ipam-address') && proxy)
    return { tenant: proxy.tenant.tenant, path: [...pathOf(proxy), fields[field] ?? field] }
  if (kind === 'pool' && own >= 0) return { tenant: null, path: ['cluster', 'pools', own, field] }
  if (kind === 'pool' && owner) return { tenant: owner.tenant, path: ['pool', field] }
  if (kind === 'private-network') return { tenant: null, path: ['network', 'privateNetwork', field] }
  return { tenant: null, path: [...kind.split('.'), field] }
}

const pathOf = ({ tenant: { egress }, proxy }: { tenant: Tenant; proxy: ProxyHost }) =>
  egress.through === 'address' ? ['egress', 'proxy'] : ['egress', 'proxies', egress.proxies.indexOf(proxy)]
