import { overlap } from '../engine/ranges.ts'
import { proxiesAt } from './proxies.ts'
import { excluded, isPrivate, isWide, prefixOf, usableIn, withoutHostBits } from './ranges.ts'
import type { Say } from './say.ts'
import type { ContextFile } from './schema-context.ts'
import type { TenantFile } from './schema-tenant.ts'
import type { Parts } from './validate.ts'

/** Ranges that are fixed for life: of the private network, the pods and the Services. */
export const checkRanges = ({ network, cluster }: Parts<ContextFile>, say: Say): void => {
  const own = { path: ['network', 'privateNetwork', 'cidr'], cidr: network?.privateNetwork?.cidr }
  const services = { path: ['cluster', 'serviceCidr'], cidr: cluster?.serviceCidr }
  const ranges = [own, { path: ['cluster', 'podCidr'], cidr: cluster?.podCidr }, services].flatMap(({ path, cidr }) =>
    cidr ? [{ path, cidr }] : [],
  )
  for (const [at, { path, cidr }] of ranges.entries()) {
    const right = withoutHostBits(cidr)
    if (right) say(path, `${cidr} names a host inside its range`, 'host bits are set', `write ${right}`)
    const other = ranges.slice(0, at).find(it => overlap(it.cidr, cidr))
    if (other)
      say(
        path,
        `${cidr} overlaps ${other.path.join('.')} ${other.cidr}`,
        'addresses would be ambiguous',
        'choose ranges apart',
      )
  }
  // What exists already was accepted once.
  if (own.cidr && !network?.privateNetwork?.existing) checkPrivateNetwork(own.path, own.cidr, say)
  if (services.cidr) checkServices(services.path, services.cidr, say)
}

/** @see https://www.scaleway.com/en/docs/vpc/reference-content/private-networks-reserved-prefixes/ */
const checkPrivateNetwork = (path: string[], cidr: string, say: Say) => {
  const what = `${cidr} cannot be a private network`
  const next = 'take a range of 10/8, 172.16/12 or 192.168/16, e.g. 172.16.28.0/22'
  const kept = excluded.find(it => overlap(it, cidr))
  if (kept) say(path, what, `Scaleway keeps ${kept}`, next)
  else if (!isPrivate(cidr)) {
    const why = 'it is not one of the ranges for private use: that part of the internet would be out of reach'
    say(path, what, why, next)
  }
  const bits = prefixOf(cidr)
  if (bits < 20) say(path, what, `/${bits} is too large: Scaleway takes /20 to /29`, 'take /20 or a smaller one')
  if (bits > 29) say(path, what, `/${bits} is too small: Scaleway takes /20 to /29`, 'take /22, or at least /29')
}

/** The cluster's DNS is the tenth address; an API server takes no more than 20 bits of Services. */
const checkServices = (path: string[], cidr: string, say: Say) => {
  const bits = prefixOf(cidr)
  if (bits >= 12 && bits <= 28) return
  const why = bits < 12 ? 'Kubernetes takes at most a /12' : 'the DNS of the cluster is its tenth address'
  say(path, `${cidr} cannot be the range of Services`, why, 'take /12 to /28, e.g. 10.32.0.0/20')
}

/** Everything that joins the network takes an address of it: what does not fit fails half-way through a deploy. */
export const checkRoom = (
  { network, cluster }: Parts<ContextFile>,
  tenants: readonly Parts<TenantFile>[],
  say: Say,
): void => {
  const cidr = network?.privateNetwork?.cidr
  if (!cidr || prefixOf(cidr) < 20 || prefixOf(cidr) > 29) return
  const pools = cluster?.kubeconfig ? [] : [...(cluster?.pools ?? []), ...tenants.map(it => it.pool)]
  const nodes = pools.reduce((sum, it) => sum + (it?.autoscaling?.max ?? it?.size ?? 1), 0)
  const proxies = new Set(tenants.flatMap(it => proxiesAt(it).map(({ proxy }) => proxy.name))).size
  const needed = proxies + nodes + 1
  if (needed <= usableIn(cidr)) return
  say(
    ['network', 'privateNetwork', 'cidr'],
    `${cidr} is too small for what is to join it`,
    `${proxies} proxies, ${nodes} nodes and the gateway need ${needed} addresses, and it has ${usableIn(cidr)}`,
    'take a larger range: it cannot be changed later',
  )
}

/** Where operators come from: never the whole internet by accident, and no range that names a host in it. */
export const checkOperators = ({ gateway, ssh, cluster, monitoring }: Parts<ContextFile>, say: Say): void => {
  const knock = gateway?.bastion?.port
  if (knock !== undefined && knock !== 61000 && (knock < 1024 || knock > 59999)) {
    const why = 'Scaleway takes 1024 to 59999, and 61000, which is its own choice'
    say(['gateway', 'bastion', 'port'], `the bastion cannot listen on ${knock}`, why, 'leave it out, or take e.g. 2222')
  }
  const lists = [
    { path: ['gateway', 'bastion'], ...gateway?.bastion },
    { path: ['ssh'], ...ssh },
    { path: ['monitoring'], ...monitoring },
    // Who may reach the API server is everybody until it is said: here 0.0.0.0/0 is no accident.
    { path: ['cluster'], key: 'acl', allow: cluster?.acl, open: true },
  ]
  for (const { path, key = 'allow', allow = [], open } of lists) {
    for (const [at, cidr] of allow.entries()) {
      if (cidr === undefined) continue
      const here = [...path, key, at]
      const right = withoutHostBits(cidr)
      if (right) say(here, `${cidr} names a host inside its range`, 'host bits are set', `write ${right}`)
      if (!isWide(cidr) || open) continue
      const metrics = path[0] === 'monitoring'
      const why = metrics ? 'anybody could read the metrics' : 'anybody could knock at the SSH port'
      const next = metrics
        ? 'write the addresses of the monitoring'
        : `write the ranges that operators come from, or say \`open: true\` beside ${path.at(-1)}'s allow`
      say(here, `${cidr} lets the whole internet in`, why, next)
    }
  }
}

/** The network's name is a domain of its resources: a real top-level domain of that name would be out of reach. */
export const checkNetworkName = ({ network }: Parts<ContextFile>, say: Say): void => {
  const name = network?.privateNetwork?.name
  if (!name || !(/^[a-z]{2}$/.test(name) || topLevel.includes(name))) return
  const why = 'its DNS would answer for that top-level domain, and names below it would no longer resolve'
  say(['network', 'privateNetwork', 'name'], `a private network named ${name} hides .${name}`, why, 'rename it')
}

const topLevel = 'com net org info biz dev app cloud xyz online site tech store shop'.split(' ')

/** Hosts behind a bastion need one, and a key to know it by: nothing at Scaleway tells it. */
export const checkBastion = ({ gateway, ssh }: Parts<ContextFile>, say: Say): void => {
  if (ssh?.via !== 'bastion' || !gateway) return
  if (!gateway.bastion)
    say(
      ['ssh', 'via'],
      'there is no bastion to go through',
      'the gateway has none',
      'add gateway.bastion, or write public',
    )
  else if (!gateway.bastion.hostKeys && !ssh.knownHosts)
    say(
      ['gateway', 'bastion'],
      'gateway.bastion.hostKeys is missing',
      'ssh.via is bastion, and a host key is never accepted unseen',
      `make the gateway with ssh.via: public, then write here what ssh-keyscan -p ${gateway.bastion.port ?? 61000} shows of it, or name a known_hosts file as ssh.knownHosts`,
    )
}
