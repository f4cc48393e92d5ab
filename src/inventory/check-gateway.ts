import { nearest } from '../engine/nearest.ts'
import { proxiesAt } from './proxies.ts'
import type { Say } from './say.ts'
import type { ContextFile } from './schema-context.ts'
import type { TenantFile } from './schema-tenant.ts'
import type { Parts } from './validate.ts'

/**
 * Of a public image (Canonical's, of Ubuntu's own packages; Squid's licence is GPL-2.0-or-later): with sh, Perl and
 * Squid 6, as the digest of July 2026 has them.
 */
const usualImage =
  'docker.io/ubuntu/squid:6.6-24.04_beta@sha256:6a097f68bae708cedbabd6188d68c7e2e7a38cedd05a176e1cc0ba29e3bbe029'

export type Gateway = { image: string; replicas: number; pool: string; port: number; publicIp?: string }

/** What a tenant file says of its gateway, with what is usual. */
export const gatewayOf = ({ egress: { via, gateway }, pool }: TenantFile): { gateway?: Gateway } => {
  if (via !== 'gateway-pod') return {}
  const { publicIp, image = usualImage, replicas = 2, pool: nodes = pool.name, port = 3128 } = gateway ?? {}
  return { gateway: { image, replicas, pool: nodes, port, ...(publicIp !== undefined && { publicIp }) } }
}

/** Words of the one data plane say nothing on the other, and some wishes only a host can grant. */
export const checkGateway = (context: Parts<ContextFile>, file: Parts<TenantFile>, say: Say): void => {
  const { egress, pool } = file
  if (!egress) return
  if (egress.via !== 'gateway-pod') {
    if (egress.gateway)
      say(['egress', 'gateway'], 'egress.gateway says nothing here', 'the tenant leaves by a proxy-vm', 'take it out')
    return
  }
  for (const { path } of proxiesAt(file))
    say(path, `${path.join('.')} says nothing here`, 'the tenant leaves by pods of the cluster', 'take it out')
  for (const [word, why] of Object.entries(notHere))
    if (egress[word as keyof typeof notHere] && egress[word as 'sni'] !== 'off')
      say(['egress', word], `${word} is not for a gateway-pod`, why, 'take it out, or give the tenant a proxy-vm')
  for (const word of ['bandwidth', 'tunnelLifetime'] as const)
    if (egress.limits?.[word] !== undefined) {
      const why = "the kernel of a proxy's host holds it, and a node's is not ours"
      say(['egress', 'limits', word], `${word} is not for a gateway-pod`, why, 'take it out, or use a proxy-vm')
    }
  const { pool: nodes, publicIp } = egress.gateway ?? {}
  if (context.cluster?.kubeconfig) {
    if (publicIp === undefined)
      say(
        egress.gateway ? ['egress', 'gateway'] : ['egress', 'via'],
        'nobody says which address its nodes leave with',
        'the cluster exists already, and what is before its nodes is not known here',
        'write gateway: { publicIp: ... }',
      )
    return
  }
  const known = [pool?.name, ...(context.cluster?.pools ?? []).map(it => it?.name)].filter(it => it !== undefined)
  if (!nodes || known.includes(nodes)) return
  const near = nearest(nodes, known)
  const next = near ? `did you mean ${near}?` : 'name its own pool, or one of cluster.pools'
  say(['egress', 'gateway', 'pool'], `there is no pool ${nodes}`, `the pools are ${known.join(', ')}`, next)
}

const notHere = {
  clients: 'a NetworkPolicy says whose pods may ask',
  sni: 'its Squid would need a certificate of its own',
  clientCertificates: 'its Squid would need a certificate of its own',
} as const
