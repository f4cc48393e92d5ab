import type { ScalewayState } from './records.ts'

export const emptyState = (): ScalewayState => ({
  sequence: 0,
  projects: {},
  vpcs: {},
  private_networks: {},
  ips: {},
  gateway_ips: {},
  gateways: {},
  gateway_networks: {},
  instance_ips: {},
  security_groups: {},
  servers: {},
  private_nics: {},
  volumes: {},
  clusters: {},
  pools: {},
  nodes: {},
  ssh_keys: {},
  databases: {},
  transitions: {},
})

const owned = [
  ...(['vpcs', 'private_networks', 'ips', 'gateway_ips', 'gateways', 'instance_ips', 'security_groups'] as const),
  ...(['servers', 'volumes', 'clusters', 'ssh_keys', 'databases'] as const),
]

/** A saved state of this shape or of one before projects, when everything was in the key's own. */
export const loadState = (saved: object | undefined, ownProject: string): ScalewayState => {
  const state: ScalewayState = { ...emptyState(), ...structuredClone(saved) }
  for (const table of owned)
    for (const row of Object.values<{ project_id?: string }>(state[table])) row.project_id ??= ownProject
  return state
}
