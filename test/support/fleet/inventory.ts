import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Inventory, loadInventory } from '../../../src/inventory/load.ts'

export const NAMESPACE = 'shop'
/** The first tenant's; the others have the addresses after it. */
export const PROXY = { name: 'proxy-shop', privateIp: '172.16.28.8', publicIp: '203.0.113.9' }
export const PROXIES = [PROXY, { name: 'proxy-bank', privateIp: '172.16.28.9', publicIp: '203.0.113.10' }]
/** What a partner has to take in, and what it lets in until then. */
export const PARTNER = { prove: 'https://db.partner.example/', old: ['198.51.100.7/32', '198.51.100.0/29'] }
export const FORBIDDEN = 'egress-probe.invalid'

export type Wanted = {
  /** Each with so many workloads, in a namespace of its name; absent: one. */
  tenants?: string[]
  workloads: number
  /** Where the list of a partner is; absent: nobody keeps one. */
  partner?: string
  /** Cumulative, of all but the canary. */
  batches: string[]
  maxUnverified?: number
  /** Between two looks of a gate, and how many there are; absent: as the product has it. */
  interval?: string
  count?: number
}

export const nameOf = (index: number): string => `app-${String(index).padStart(4, '0')}`

/** The nodes of a tenant: each has its own. */
export const poolOf = (tenant: string): string => (tenant === NAMESPACE ? 'a-pool' : `${tenant}-pool`)

export const tenantsOf = ({ tenants = [NAMESPACE] }: Wanted): string[] => tenants

/** Files as an operator writes them, of tenants with so many workloads in a cluster that is there already. */
export const writeInventory = (root: string, kubeconfig: string, wanted: Wanted): void => {
  const folder = join(root, 'inventory/fleet')
  mkdirSync(join(folder, 'tenants'), { recursive: true })
  writeFileSync(join(folder, 'context.yaml'), contextFile(kubeconfig))
  for (const [at, it] of tenantsOf(wanted).entries())
    writeFileSync(join(folder, `tenants/${it}.yaml`), tenantFile(it, PROXIES[at]!, wanted))
}

export const readInventory = (root: string): Promise<Inventory> => loadInventory('fleet', { root, env: {} })

const contextFile = (kubeconfig: string) => `
context: fleet
scaleway: { region: fr-par, zone: fr-par-1 }
network: { vpc: egress, privateNetwork: { name: egress, cidr: 172.16.28.0/22 } }
gateway: { type: VPC-GW-S, bastion: { port: 61000, allow: [203.0.113.0/24] } }
ssh: { user: root, allow: [203.0.113.0/24], identity: id_ed25519 }
cluster: { kubeconfig: ${kubeconfig}, name: shared, version: "1.34", pools: [{ name: system, type: DEV1-M, size: 1 }] }
verify:
  echo: [http://echo-1.example/, http://echo-2.example/]
  forbidden: http://${FORBIDDEN}/
`

const tenantFile = (
  tenant: string,
  proxy: typeof PROXY,
  { workloads, batches, maxUnverified, interval, count, partner }: Wanted,
) => `
tenant: ${tenant}
namespace: ${tenant}
pool: { name: ${poolOf(tenant)}, type: DEV1-M, size: 1 }
egress:
  proxy: { name: ${proxy.name}, type: PLAY2-PICO, image: ubuntu_noble, privateIp: ${proxy.privateIp} }
  allow: [{ domain: echo-1.example, ports: [80] }, { domain: echo-2.example, ports: [80] }, { domain: db.partner.example }]
workloads:
${Array.from({ length: workloads }, (_, at) => `  - { kind: Deployment, name: ${nameOf(at)} }`).join('\n')}
rollout:
  canary: { kind: Deployment, name: ${nameOf(0)} }
  then: { batches: ${JSON.stringify(batches)}${maxUnverified ? `, maxUnverified: ${maxUnverified}` : ''} }
${partner ? `  externalAllowlist: ${JSON.stringify(listAt(partner))}` : ''}
${interval ? `  builtIn:\n${gates.map(it => `    ${JSON.stringify(it)}: { interval: ${interval}${count ? `, count: ${count}` : ''} }`).join('\n')}` : ''}
`

const listAt = (url: string) => ({
  ...{ provider: 'crunchybridge', network: 'net1', key: { env: 'PARTNER_KEY_OF_TEST' }, url },
  ...{ prove: PARTNER.prove, remove: PARTNER.old, drain: '0s' },
})

const gates = [
  'proxy answers with its fixed address',
  'the policy holds a pod with the label',
  'pods ready and not restarting',
  "egress address is the tenant's own",
  'direct access is blocked',
  'a forbidden destination is refused and logged',
  'DNS and in-cluster traffic work',
  'no program goes past the proxy',
  'the partner lets it in',
]
