import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { site } from '../../playbooks/site.ts'
import type { Desired } from '../../src/engine/desired.ts'
import type { Context } from '../../src/inventory/context.ts'
import { loadContext } from '../../src/inventory/load.ts'

/** A context of `tenants` tenants, out of files as an operator writes them, and what the real playbooks make of it. */
export type Wished = {
  root: string
  context: Context
  cloud: Desired[]
  kubeconfig: string
  remove(): Promise<void>
}

const operatorKey = `ssh-ed25519 ${'A'.repeat(68)} operator`

export const wish = async (tenants: number, { name = 'bench', cluster = 'shared' } = {}): Promise<Wished> => {
  const root = await mkdtemp(join(tmpdir(), 'egress-bench-'))
  const folder = join(root, 'inventory', name)
  await mkdir(join(folder, 'tenants'), { recursive: true })
  await writeFile(join(folder, 'context.yaml'), contextFile(name, cluster))
  await writeFile(join(root, 'id_ed25519.pub'), operatorKey)
  await Promise.all(
    Array.from({ length: tenants }, (_, at) => writeFile(join(folder, 'tenants', `tenant-${at}.yaml`), tenantFile(at))),
  )
  return wishIn(root, name)
}

/** The same from where it is written already, e.g. by another process. */
export const wishIn = async (root: string, name = 'bench'): Promise<Wished> => {
  const context = await loadContext(name, { root, env: {} })
  const kubeconfig = join(root, 'kubeconfig')
  const { cloud } = site(context, { operatorKey, kubeconfig })
  return { root, context, cloud, kubeconfig, remove: () => rm(root, { recursive: true, force: true }) }
}

const contextFile = (name: string, cluster: string) => `
context: ${name}
scaleway: { region: fr-par, zone: fr-par-1 }
network:
  vpc: egress
  privateNetwork: { name: egress, cidr: 172.16.0.0/20 }
gateway: { type: VPC-GW-S, bastion: { port: 61000, allow: [203.0.113.0/24] } }
ssh: { user: root, allow: [203.0.113.0/24], identity: id_ed25519 }
cluster:
  name: ${cluster}
  version: "1.34"
  pools: [{ name: system, type: DEV1-M, size: 1 }]
`

const tenantFile = (at: number) => `
tenant: tenant-${at}
namespace: tenant-${at}
pool: { name: pool-${at}, type: DEV1-M, size: 1 }
egress:
  proxy: { name: proxy-${at}, type: PLAY2-PICO, image: ubuntu_noble, privateIp: ${addressOf(at)} }
  allow: [{ domain: partner-${at}.example }]
rollout:
  canary: { kind: Deployment, name: app }
`

/** From 172.16.8.0 on: nodes and gateways take the lowest free ones by themselves. */
const addressOf = (at: number) => `172.16.${8 + Math.floor(at / 250)}.${2 + (at % 250)}`
