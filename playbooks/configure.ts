import { homedir } from 'node:os'
import { join } from 'node:path'
import { millis } from '../src/engine/duration.ts'
import { play } from '../src/hosts/play.ts'
import { shipTasks } from '../src/hosts/ship.ts'
import { auditLog, squidTasks, ufwTask } from '../src/hosts/squid.ts'
import type { Task } from '../src/hosts/tasks/all.ts'
import type { Machine } from '../src/inventory/ansible/login.ts'
import { type Context, type ProxyHost, proxiesIn, type Tenant } from '../src/inventory/context.ts'
import { varsOf } from '../src/inventory/groups.ts'
import { policyOf } from '../src/policy/entries.ts'
import type { gatewayPlaybook } from './gateway.ts'
import { type proxyPlaybook, proxyPort } from './proxy.ts'

/** Squid answers the private network with the tenant's allowlist and nobody else; UFW says the same. */
export const configurePlaybook = (
  context: Context,
  { proxies }: ReturnType<typeof proxyPlaybook>,
  gateway: ReturnType<typeof gatewayPlaybook>,
) => {
  const { ssh } = context
  const jump = bastionOf(context, gateway)
  const plays = proxiesIn(context).map(({ tenant, proxy }) => {
    const { name, privateIp } = proxy
    const { port, user, become } = ssh
    const rest = { ...hostTasks(context, { tenant, proxy }), health: healthOf(context) }
    if (proxy.machine) return play(name, { host: existingHost(context, name, proxy.machine), ...rest })
    const { ip, machine } = proxies.find(it => it.name === name)!
    const host = { name, port, user, hostKey: machine.out.hostKey, ...loginOf(context), ...(become && { become }) }
    return jump
      ? play(name, { host: { ...host, address: privateIp, jump }, ...rest }, { after: [gateway.attached] })
      : play(name, { host: { ...host, address: ip.out.address }, ...rest })
  })
  return { desired: plays, plays }
}

/** A host of Ansible's inventory; what that leaves out is as for all. */
const existingHost = (context: Context, name: string, machine: Machine) => {
  const { ssh } = context
  const { address, port = ssh.port, user = ssh.user, identity = ssh.identity, hostKeys, config, jump } = machine
  const known = ssh.knownHosts ?? [join(homedir(), '.ssh/known_hosts')]
  const login = { ...loginOf(context), identity, knownHosts: known, ...(config && { config }) }
  const { become } = ssh
  return {
    ...{ name, address, port, user, hostKey: hostKeys, ...login, ...(become && { become }) },
    ...(jump && { jump: { name: jump.address, user: jump.user ?? user, ...jump, hostKey: [], ...login } }),
  }
}

/** The gateway's bastion, where hosts are reached through it. */
const bastionOf = (context: Context, { address }: Pick<ReturnType<typeof gatewayPlaybook>, 'address'>) => {
  const { ssh, gateway } = context
  const { bastion } = gateway
  if (ssh.via !== 'bastion' || !bastion) return undefined
  const { port, hostKeys = [] } = bastion
  return { name: 'bastion', user: 'bastion', port, address, hostKey: hostKeys, ...loginOf(context) }
}

/** What the operator logs in with, on every host and on the bastion. */
const loginOf = ({ ssh: { identity, passphrase, agent, knownHosts, config, compress } }: Context) => ({
  identity,
  ...(passphrase && { passphrase }),
  ...(agent && { agent }),
  ...(knownHosts && { knownHosts }),
  ...(config && { config }),
  ...(compress && { compress }),
})

/** What must hold on a proxy before the next one is changed. */
const healthOf = ({ configure: { health = [{ port: proxyPort, within: '30s' }] } }: Context) =>
  health.map(({ within, ...it }) => ({ ...it, withinSeconds: millis(within) / 1000 }))

/** Our own networks, where no name may lead. */
export const innerOf = ({ network, cluster }: Context): string[] => [
  network.privateNetwork.cidr,
  cluster.podCidr,
  cluster.serviceCidr,
]

/** What is put on one proxy: also what `--render` writes, without a connection. */
export const hostTasks = (context: Context, { tenant: it, proxy }: { tenant: Tenant; proxy: ProxyHost }) => {
  const { network, ssh, dns, audit } = context
  const { cidr } = network.privateNetwork
  const { tasks, handlers } = squidTasks({
    hostName: proxy.name,
    tenants: [{ name: it.tenant, port: proxyPort, clients: [cidr], policy: policyOf(context, it) }],
    inner: innerOf(context),
    nameservers: dns.nameservers,
    keepDays: audit.keepDays,
    vars: { ...proxy.machine?.vars, ...varsOf(context, it) },
  })
  const firewall = ufwTask({
    // Who comes through the bastion comes from the gateway's address in our network.
    ssh: { allow: [...ssh.allow, ...(ssh.via === 'bastion' ? [cidr] : [])], port: proxy.machine?.port ?? ssh.port },
    proxy: { from: [cidr], ports: [proxyPort] },
  })
  const walls: Task[] = [
    { task: 'package', name: 'ufw', tags: ['firewall', 'packages'] },
    { ...firewall, tags: ['firewall'] },
  ]
  const shipping = shipTasks(audit.ship, auditLog)
  return { tasks: [...tasks, ...walls, ...shipping.tasks], handlers: { ...handlers, ...shipping.handlers } }
}
