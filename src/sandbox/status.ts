import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { whatIsMyIpUrls } from './internet/names.ts'
import type { Host } from './machines/machines.ts'
import { services, type World } from './machines/world.ts'
import type { State } from './state.ts'
import { kubeconfigFile } from './track-clusters.ts'

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
      partner: { url: 'https://api.partner.example/', admits: state.admitted },
      dns: services(world).dns,
      ca: join(world.directory, 'ca.pem'),
    },
    slot: world.slot,
    daemon: { pid: process.pid },
  }
}
