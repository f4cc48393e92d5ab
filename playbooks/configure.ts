import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Ref } from '../src/engine/desired.ts'
import { millis } from '../src/engine/duration.ts'
import { Problem } from '../src/engine/problem.ts'
import { authority } from '../src/hosts/authority.ts'
import { loopbackPort } from '../src/hosts/client-certificates.ts'
import { exporterPorts, healthPort, monitoringTasks } from '../src/hosts/monitoring.ts'
import { type HostPlay, play } from '../src/hosts/play.ts'
import { shipTasks } from '../src/hosts/ship.ts'
import { squidTasks, ufwTask } from '../src/hosts/squid.ts'
import { auditLog } from '../src/hosts/squid-conf.ts'
import type { Task } from '../src/hosts/tasks/all.ts'
import type { Machine } from '../src/inventory/ansible/login.ts'
import { type Context, machinesIn, type Tenant } from '../src/inventory/context.ts'
import { varsOf } from '../src/inventory/groups.ts'
import { isInside } from '../src/inventory/ranges.ts'
import { policyOf } from '../src/policy/entries.ts'
import { SERVICE } from '../src/rollout/proxy-service.ts'
import { flexibleIpKind } from '../src/scaleway/flexible-ip.ts'
import { poolKind } from '../src/scaleway/pool.ts'
import type { gatewayPlaybook } from './gateway.ts'
import { portsOf, type proxyPlaybook } from './proxy.ts'

type ServedBy = ReturnType<typeof machinesIn>[number]

/** Squid answers each tenant with its allowlist and nobody else; UFW lets in nobody else either. */
export const configurePlaybook = (
  context: Context,
  { proxies }: ReturnType<typeof proxyPlaybook>,
  gateway: ReturnType<typeof gatewayPlaybook>,
) => {
  const { ssh } = context
  const jump = bastionOf(context, gateway)
  const plays = machinesIn(context).map(served => {
    const { proxy, serves } = served
    const { name, privateIp } = proxy
    const { port, user, become } = ssh
    const rest = { ...hostTasks(context, served), health: healthOf(context, serves) }
    if (proxy.machine) return play(name, { host: existingHost(context, name, proxy.machine), ...rest })
    const { ip, machine } = proxies.find(it => it.name === name)!
    const host = { name, port, user, hostKey: machine.out.hostKey, ...loginOf(context), ...(become && { become }) }
    return jump
      ? play(name, { host: { ...host, address: privateIp, jump }, ...rest }, { after: [gateway.attached] })
      : play(name, { host: { ...host, address: ip.out.address }, ...rest })
  })
  const certified = context.tenants.filter(it => it.egress.clientCertificates)
  const authorities = new Map(
    certified.map(({ tenant, egress }) => {
      const theirs = egress.proxies.map(({ name }) => plays.find(it => it.id === `host-play/${name}`)!)
      const hosts = theirs.map(it => (it.want as unknown as HostPlay).host)
      return [tenant, authority(tenant, { hosts }, { after: theirs })] as const
    }),
  )
  return { desired: [...plays, ...authorities.values()], plays, authorities }
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
const healthOf = ({ configure: { health } }: Context, serves: ServedBy['serves']) =>
  (health ?? portsOf(serves).map(port => ({ port, within: '30s' as const }))).map(({ within, ...it }) => ({
    ...it,
    ...('port' in it && portsOf(serves).includes(it.port) && { by: 'squid' }),
    withinSeconds: millis(within) / 1000,
  }))

const asksWho = (serves: ServedBy['serves']) => serves.some(it => it.tenant.egress.clientCertificates)

/** Where exporters ask Squid: a port that wants certificates is nothing for them. */
const plainPort = (serves: ServedBy['serves']): number => {
  const ports = portsOf(serves)
  return asksWho(serves) ? loopbackPort(ports) : ports[0]!
}

/** Our own networks, where no name may lead. */
export const innerOf = ({ network, cluster }: Context): string[] => [
  network.privateNetwork.cidr,
  cluster.podCidr,
  cluster.serviceCidr,
]

/** What is put on one proxy: also what `--render` writes, without a connection. */
export const hostTasks = (context: Context, { proxy, serves }: ServedBy) => {
  const { network, ssh, dns, audit, monitoring } = context
  const { cidr } = network.privateNetwork
  const { tasks, handlers } = squidTasks({
    hostName: proxy.name,
    tenants: serves.map(({ tenant, proxy: { port, flexibleIp, existing } }) => ({
      name: tenant.tenant,
      port,
      clients: tenant.egress.clients ?? (serves.length > 1 ? nodesOf(context, tenant) : [cidr]),
      ...(serves.length > 1 && { outgoing: existing?.publicIp ?? addressOf(flexibleIp ?? proxy.name) }),
      limits: tenant.egress.limits,
      ...(tenant.egress.sni === 'verify' && { sni: 'verify' as const }),
      certificates: tenant.egress.clientCertificates,
      policy: policyOf(context, tenant),
    })),
    inner: innerOf(context),
    own: [
      ...new Set(serves.flatMap(({ proxy: { flexibleIp } }) => (flexibleIp ? [flexibleIp, proxy.name] : [proxy.name]))),
    ].map(it => proxy.existing?.publicIp ?? addressOf(it)),
    nameservers: dns.nameservers,
    names: [proxy.privateIp, SERVICE],
    keepDays: audit.keepDays,
    vars: Object.assign({}, proxy.machine?.vars, ...serves.map(it => varsOf(context, it.tenant))),
  })
  const clients = [...new Set(serves.flatMap(it => it.tenant.egress.clients ?? [cidr]))]
  const firewall = ufwTask({
    // Who comes through the bastion comes from the gateway's address in our network.
    ssh: { allow: [...ssh.allow, ...(ssh.via === 'bastion' ? [cidr] : [])], port: proxy.machine?.port ?? ssh.port },
    proxy: { from: clients, ports: portsOf(serves) },
    ...(monitoring && {
      metrics: { from: monitoring.allow, ports: Object.values(exporterPorts) },
      health: { from: [...new Set([...monitoring.allow, ...clients])], ports: [healthPort] },
    }),
    outgoing: { nameservers: dns.nameservers, inner: innerOf(context) },
  })
  const walls: Task[] = [
    { task: 'package', name: 'ufw', tags: ['firewall', 'packages'] },
    { ...firewall, tags: ['firewall'] },
  ]
  const shipping = shipTasks(audit.ship, auditLog)
  const watching = monitoring
    ? monitoringTasks({
        // Metrics that nobody outside may read are not offered outside either.
        listen: monitoring.allow.every(isInside) ? proxy.privateIp : null,
        ports: portsOf(serves),
        quietPorts: asksWho(serves) ? portsOf(serves) : [],
        squidPort: plainPort(serves),
        tenants: serves.map(it => it.tenant.tenant),
      })
    : { tasks: [], handlers: {} }
  return {
    tasks: [...tasks, ...walls, ...shipping.tasks, ...watching.tasks],
    handlers: { ...handlers, ...shipping.handlers, ...watching.handlers },
  }
}

/** What a tenant's flexible IP is, when it is made. */
const addressOf = (name: string) => ({ $ref: `${flexibleIpKind.name}/${name}`, path: 'address' })

/** Tenants on one proxy are told apart by their nodes, too: these are known when the pool stands. */
const nodesOf = ({ cluster }: Context, { tenant, pool, egress }: Tenant): Ref => {
  if (!cluster.kubeconfig && egress.proxies.every(it => !it.machine))
    return { $ref: `${poolKind.name}/${pool.name}`, path: 'addresses' }
  throw new Problem(`nobody says where requests of ${tenant} come from`, {
    why: 'it shares a proxy, and the nodes of a cluster that exists already are not known here',
    next: 'write egress.clients: [CIDR] in its file, the addresses of its nodes',
    exit: 2,
  })
}
