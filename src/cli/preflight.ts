import { throwAll } from '../engine/plan.ts'
import type { Context } from '../inventory/context.ts'
import type { Place } from '../inventory/load.ts'
import { type Finding, preflight } from '../scaleway/preflight.ts'
import { pendingOf, type Staged } from './stages.ts'

/** Everything that Scaleway would refuse of this plan, at once and with its line, before the first write. */
export const refuseEarly = async (staged: Staged): Promise<void> => {
  const { session, site } = staged
  const cloud = new Set(site.cloud.map(it => it.id))
  const steps = pendingOf(staged).flatMap(({ step }) => (step && cloud.has(step.id) ? [step] : []))
  if (steps.length === 0) return
  const { findings, unanswered } = await preflight(steps, await session.clients.scaleway())
  for (const it of unanswered) session.output.say(`note: not checked, as Scaleway does not tell: ${it}`)
  const problems = findings.map(it => session.problemAt(placeOf(it, session.context), it.what, it.why, it.next))
  throwAll(problems.sort((a, b) => a.message.localeCompare(b.message, 'en', { numeric: true })))
}

/** Where in the inventory the value of a step was written. */
export const placeOf = ({ step, field }: Finding, { cluster, tenants }: Context): Place => {
  if (field === 'project') return { tenant: null, path: ['scaleway', 'projectId'] }
  const [kind = '', ...rest] = step.split('/')
  const name = rest.join('/')
  const fields: Record<string, string> = { address: 'privateIp' }
  const proxy = tenants.find(it => it.egress.proxy.name === name)
  const owner = tenants.find(it => it.pool.name === name)
  const own = cluster.pools.findIndex(it => it.name === name)
  if ((kind === 'server' || kind === 'ipam-address') && proxy)
    return { tenant: proxy.tenant, path: ['egress', 'proxy', fields[field] ?? field] }
  if (kind === 'pool' && own >= 0) return { tenant: null, path: ['cluster', 'pools', own, field] }
  if (kind === 'pool' && owner) return { tenant: owner.tenant, path: ['pool', field] }
  if (kind === 'private-network') return { tenant: null, path: ['network', 'privateNetwork', field] }
  return { tenant: null, path: [kind, field] }
}
