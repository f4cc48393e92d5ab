/** What a link needs to know of a thing. */
export type Linked = { id: string; zone?: string | undefined; region?: string | undefined }

const pages: Record<string, (it: Linked) => string> = {
  server: ({ id, zone }) => `instance/servers${zone ? `/${zone}/${id}/overview` : ''}`,
  cluster: ({ id, region }) => `kapsule/clusters${region ? `/${region}/${id}` : ''}`,
  // Of these only the pages that list them are sure to keep their address.
  VPC: () => 'vpc',
  'private network': () => 'vpc/private-networks',
  'private address': () => 'vpc/private-networks',
  gateway: () => 'public-gateway/public-gateways',
  'gateway IP': () => 'public-gateway/public-gateways',
  'gateway network': () => 'public-gateway/public-gateways',
  'flexible IP': () => 'instance/ips',
  'security group': () => 'instance/security-groups',
  volume: () => 'block-storage/volumes',
  pool: () => 'kapsule/clusters',
  'SSH key': () => 'iam/ssh-keys',
}

/** Where a person can look at a thing, or at the list that has it; `what` is the word of problems, e.g. `gateway`. */
export const consoleLink = (what: string, thing: Linked): string =>
  `https://console.scaleway.com/${pages[what]?.(thing) ?? ''}`
