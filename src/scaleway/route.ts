/** What a path of the API is about, e.g. service `vpc`, collection `private-networks`, place `fr-par`. */
export type Route = { service: string; collection: string; place: string | null }

export const routeOf = (url: string): Route => {
  const [service = '', , ...rest] = new URL(url).pathname.split('/').slice(1)
  const placed = rest[0] === 'regions' || rest[0] === 'zones'
  return { service, collection: rest[placed ? 2 : 0] ?? '', place: placed ? (rest[1] ?? null) : null }
}

/** The permission set that each collection asks for; `*`: the whole service. */
const sets: Record<string, Record<string, string>> = {
  vpc: { '*': 'VPCFullAccess', 'private-networks': 'PrivateNetworksFullAccess' },
  'vpc-gw': { '*': 'VPCGatewayFullAccess' },
  ipam: { '*': 'IPAMFullAccess' },
  instance: { '*': 'InstancesFullAccess' },
  block: { '*': 'BlockStorageFullAccess' },
  k8s: { '*': 'KubernetesFullAccess' },
  iam: { '*': 'SSHKeysFullAccess' },
  account: { '*': 'ProjectReadOnly' },
}

/** @see the list of permission sets in Scaleway's IAM documentation */
export const permissionSetOf = ({ service, collection }: Route): string | null =>
  sets[service]?.[collection] ?? sets[service]?.['*'] ?? null

export const consoleUrls = {
  policies: 'https://console.scaleway.com/iam/policies',
  apiKeys: 'https://console.scaleway.com/iam/api-keys',
  quotas: 'https://console.scaleway.com/organization/quotas',
}
