import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { whatIsMyIpUrls } from './internet/names.ts'
import { databasePort } from './internet/partner-rules.ts'
import type { Host } from './machines/machines.ts'
import { services, type World } from './machines/world.ts'
import type { State } from './state.ts'
import { kubeconfigFile } from './track-clusters.ts'

/** Where the partner's firewall is asked, below the URL of the emulated cloud. */
export const partnerPath = '/partner'
export const partnerNetwork = 'partner'

export type Status = ReturnType<typeof statusOf>

/** What `sandbox status --json` prints. */
export const statusOf = ({ world, url, state, hosts }: { world: World; url: string; state: State; hosts: Host[] }) => {
  const [first] = state.clusters
  const kubeconfig = first ? kubeconfigFile(world.directory, first) : null
  return {
    scaleway: { url, config: join(world.directory, 'scw.yaml') },
    kubernetes: { kubeconfig: kubeconfig && existsSync(kubeconfig) ? kubeconfig : null },
    hosts,
    internet: {
      whatIsMyIp: whatIsMyIpUrls,
      partner: {
        url: 'https://api.partner.example/',
        database: `api.partner.example:${databasePort}`,
        admits: state.partner.rules.map(it => it.rule.replace(/\/32$/, '')).join(' ') || null,
        firewall: { url: `${url}${partnerPath}`, network: partnerNetwork, key: join(world.directory, 'partner.key') },
      },
      dns: services(world).dns,
      ca: join(world.directory, 'ca.pem'),
    },
    slot: world.slot,
    daemon: { pid: process.pid },
  }
}
