import { nodesIn } from '../hosts/squid-nodes.ts'
import type { FileState } from '../hosts/tasks/file.ts'
import type { PoolNode } from '../scaleway/nodes.ts'
import { liveOf } from './rollout/gates.ts'
import type { Staged } from './staged.ts'

/** `former`: addresses that the proxy still takes for the tenant's, and no node of the pool has. */
export type UnknownNodes = { tenant: string; proxy: string; pool: string; unknown: PoolNode[]; former: string[] }

/** Where tenants share a proxy it knows them by their nodes: those that came after it was configured, or went. */
export const unknownNodes = (staged: Staged): UnknownNodes[] =>
  staged.session.context.tenants.flatMap(({ tenant, pool, egress }) => {
    const nodes = liveOf(staged, `pool/${pool.name}`)?.nodes as PoolNode[] | undefined
    const addresses = nodes?.flatMap(it => it.address ?? []) ?? []
    return egress.proxies.flatMap(({ name }) => {
      const known = nodesIn(squidConfOf(staged, name), tenant)
      if (!nodes || !known) return []
      const unknown = nodes.filter(it => it.address !== null && !known.includes(it.address))
      const former = known.filter(it => !addresses.includes(it))
      return unknown.length + former.length > 0 ? [{ tenant, proxy: name, pool: pool.name, unknown, former }] : []
    })
  })

/** As the last look at the proxy found it. */
const squidConfOf = (staged: Staged, proxy: string): string => {
  const states = liveOf(staged, `host-play/${proxy}`)?.states as Record<string, FileState> | undefined
  return Buffer.from(states?.['/etc/squid/squid.conf']?.content ?? '', 'base64').toString()
}

export const refusedNodes = ({ proxy, pool, unknown }: UnknownNodes): string =>
  `${proxy} does not know ${unknown.map(it => `${it.name} (${it.address})`).join(', ')} of ${pool}, ` +
  'so what pods ask from there is refused as rule client: run 40-configure.mjs'

const formerNodes = ({ proxy, pool, former }: UnknownNodes): string =>
  `${proxy} still lets in ${former.join(', ')}, which no node of ${pool} has now: run 40-configure.mjs`

export const tellUnknownNodes = (staged: Staged): void => {
  for (const it of unknownNodes(staged)) {
    if (it.unknown.length > 0) staged.session.output.say(`note: ${refusedNodes(it)}`)
    if (it.former.length > 0) staged.session.output.say(`note: ${formerNodes(it)}`)
  }
}
