import { randomBytes } from 'node:crypto'
import { constraint, exists, invalid, notFound, quotaExceeded } from './answer.ts'
import { byId, type Cloud, dated, now, uuid } from './cloud.ts'
import { formatAddress, parseAddress, parseRange, withoutMask } from './ipv4.ts'
import type { IpamIp, PrivateNetwork } from './records.ts'

type Resource = NonNullable<IpamIp['resource']>

/** Books one address: the one asked for, or the lowest free from network+2. */
export const book = (
  cloud: Cloud,
  network: PrivateNetwork,
  {
    address,
    isIpv6 = false,
    tags = [],
    automatic = false,
    resource = null,
    projectId = network.project_id,
  }: {
    address?: string | undefined
    isIpv6?: boolean
    tags?: string[]
    automatic?: boolean
    resource?: Resource | null
    projectId?: string
  },
): IpamIp => {
  const subnet = network.subnets[isIpv6 ? 1 : 0]!
  const mask = subnet.subnet.split('/')[1]
  const picked = isIpv6 ? pick6(subnet.subnet) : address ? chosen(cloud, network, address) : lowestFree(cloud, network)
  const ip: IpamIp = {
    id: uuid(),
    project_id: projectId,
    region: network.region,
    private_network_id: network.id,
    subnet_id: subnet.id,
    address: `${picked}/${mask}`,
    is_ipv6: isIpv6,
    automatic,
    resource,
    tags,
    reverses: [],
    ...dated(),
  }
  cloud.state.ips[ip.id] = ip
  return ip
}

/** Gives a resource its addresses: those booked before, or automatic ones that vanish with it. */
export const attach = (
  cloud: Cloud,
  network: PrivateNetwork,
  resource: Resource,
  { booked, ipv6 }: { booked?: string[] | undefined; ipv6: boolean },
): IpamIp[] => {
  if (!booked?.length) {
    const ips = [book(cloud, network, { automatic: true, resource })]
    return ipv6 ? [...ips, book(cloud, network, { automatic: true, resource, isIpv6: true })] : ips
  }
  const ips = booked.map(id => cloud.state.ips[id] ?? unknownIp(id))
  for (const ip of ips) {
    if (ip.private_network_id !== network.id) throw constraint('ipam_ip_ids', 'IP is not in the private network')
    if (ip.resource) throw constraint('ipam_ip_ids', 'IP is already attached to a resource')
  }
  for (const ip of ips) Object.assign(ip, { resource, updated_at: now() })
  return ips
}

/** Frees what a resource had: automatic addresses go, booked ones stay without a resource. */
export const release = ({ state }: Cloud, resourceId: string) => {
  for (const ip of byId(state.ips)) {
    if (ip.resource?.id !== resourceId) continue
    if (ip.automatic) delete state.ips[ip.id]
    else Object.assign(ip, { resource: null, updated_at: now() })
  }
}

/** The IPv4 address with its mask, of those a resource has. */
export const ipv4Of = ({ state }: Cloud, ids: string[]): string | undefined =>
  ids.map(id => state.ips[id]).find(ip => ip && !ip.is_ipv6)?.address

/** First address of a pool that nobody holds. */
export const takePublic = (pool: string[], taken: (string | null)[], resource: string): string => {
  const free = pool.find(it => !taken.includes(it))
  if (!free) throw quotaExceeded(resource, pool.length, pool.length)
  return free
}

/** Every public address of instances in use: flexible ones and those lent to running servers. */
export const instanceAddresses = ({ state }: Cloud): (string | null)[] => [
  ...byId(state.instance_ips).map(it => it.address),
  ...byId(state.servers).map(it => it.dynamic_address),
]

const chosen = (cloud: Cloud, network: PrivateNetwork, address: string): string => {
  const value = parseAddress(withoutMask(address))
  if (value === null) throw invalid({ argument_name: 'address', reason: 'format', help_message: 'not an IP address' })
  const { base, size } = parseRange(network.subnets[0]!.subnet)!
  // The first two and the last two of a subnet are the network's own.
  if (value < base + 2 || value > base + size - 3) throw constraint('address', 'is not usable in this subnet')
  const holder = holderOf(cloud, network, formatAddress(value))
  if (holder) throw exists('ip', holder.id, `${formatAddress(value)} is already in use`)
  return formatAddress(value)
}

const lowestFree = (cloud: Cloud, network: PrivateNetwork): string => {
  const { base, size } = parseRange(network.subnets[0]!.subnet)!
  const taken = new Set(held(cloud, network).map(it => withoutMask(it.address)))
  for (let value = base + 2; value <= base + size - 3; value++) {
    const address = formatAddress(value)
    if (!taken.has(address)) return address
  }
  throw quotaExceeded('ip', size - 4, size - 4)
}

const held = ({ state }: Cloud, network: PrivateNetwork) =>
  byId(state.ips).filter(it => it.private_network_id === network.id)

const holderOf = (cloud: Cloud, network: PrivateNetwork, address: string) =>
  held(cloud, network).find(it => withoutMask(it.address) === address)

const pick6 = (subnet: string): string => {
  const tail = randomBytes(8).toString('hex').match(/.{4}/g)!
  return `${subnet.replace(/::\/64$/, '')}:${tail.map(it => it.replace(/^0+(?=.)/, '')).join(':')}`
}

const unknownIp = (id: string): never => {
  throw notFound('ip', id)
}
