import { quotaExceeded } from './answer.ts'
import { byId } from './cloud.ts'
import type { ScalewayState } from './records.ts'

type Counted = { creates: RegExp; count(state: ScalewayState): number }

const counted = (creates: RegExp, table: Exclude<keyof ScalewayState, 'sequence'>): Counted => ({
  creates,
  count: state => Object.keys(state[table]).length,
})

const words: Record<string, Counted> = {
  vpc_vpcs_count: counted(/^\/vpc\/.*\/vpcs$/, 'vpcs'),
  vpc_private_networks_count: counted(/^\/vpc\/.*\/private-networks$/, 'private_networks'),
  vpc_gateways_count: counted(/^\/vpc-gw\/.*\/gateways$/, 'gateways'),
  vpc_gateway_ips_count: counted(/^\/vpc-gw\/.*\/ips$/, 'gateway_ips'),
  vpc_gateway_networks_count: counted(/^\/vpc-gw\/.*\/gateway-networks$/, 'gateway_networks'),
  ipam_ips_count: counted(/^\/ipam\/.*\/ips$/, 'ips'),
  instances_ips_count: counted(/^\/instance\/.*\/ips$/, 'instance_ips'),
  instances_servers_count: counted(/^\/instance\/.*\/servers$/, 'servers'),
  instances_security_groups_count: counted(/^\/instance\/.*\/security_groups$/, 'security_groups'),
  instances_private_nics_count: counted(/^\/instance\/.*\/private_nics$/, 'private_nics'),
  instances_volumes_count: counted(/^\/instance\/.*\/servers$/, 'volumes'),
  k8s_clusters_count: counted(/^\/k8s\/.*\/clusters$/, 'clusters'),
  k8s_pools_count: counted(/^\/k8s\/.*\/pools$/, 'pools'),
  ssh_keys_count: counted(/^\/iam\/.*\/ssh-keys$/, 'ssh_keys'),
}

const ofType = /^instances_servers_type_([A-Z0-9_]+)$/

/** Whether a word of `quotas_exceeded` is one this emulator counts. */
export const countsQuota = (word: string) => word in words || ofType.test(word)

/** Refuses a creation that would go over a quota. Quotas are an organization's: all projects count. */
export const refuseOverQuota = (
  quotas: Record<string, number>,
  state: ScalewayState,
  { method, path, type }: { method: string; path: string; type: unknown },
) => {
  if (method !== 'POST') return
  for (const [word, most] of Object.entries(quotas)) {
    const current = words[word]?.creates.test(path) ? words[word].count(state) : ofTheType(word, state, path, type)
    if (current !== null && current >= most) throw quotaExceeded(word, most, current)
  }
}

const ofTheType = (word: string, state: ScalewayState, path: string, type: unknown): number | null => {
  const wanted = ofType.exec(word)?.[1]
  const same = (it: unknown) => typeof it === 'string' && it.replaceAll('-', '_') === wanted
  if (!wanted || !path.endsWith('/servers') || !same(type)) return null
  return byId(state.servers).filter(it => same(it.commercial_type)).length
}
