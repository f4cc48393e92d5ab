import { millis } from '../src/engine/duration.ts'
import { play } from '../src/hosts/play.ts'
import { squidTasks, ufwTask } from '../src/hosts/squid.ts'
import type { Context, Tenant } from '../src/inventory/context.ts'
import { varsOf } from '../src/inventory/groups.ts'
import { type proxyPlaybook, proxyPort } from './proxy.ts'

/** Squid answers the private network with the tenant's allowlist and nobody else; UFW says the same. */
export const configurePlaybook = (context: Context, { proxies }: ReturnType<typeof proxyPlaybook>) => {
  const plays = context.tenants.map(tenant => {
    const { ip, machine } = proxies.find(it => it.tenant === tenant.tenant)!
    const { name } = tenant.egress.proxy
    return play(name, {
      host: {
        name,
        address: ip.out.address,
        port: context.ssh.port,
        user: context.ssh.user,
        hostKey: machine.out.hostKey,
        identity: context.ssh.identity,
        ...(context.ssh.become && { become: context.ssh.become }),
      },
      ...hostTasks(context, tenant),
      health: healthOf(context),
    })
  })
  return { desired: plays, plays }
}

/** What must hold on a proxy before the next one is changed. */
const healthOf = ({ configure: { health = [{ port: proxyPort, within: '30s' }] } }: Context) =>
  health.map(({ within, ...it }) => ({ ...it, withinSeconds: millis(within) / 1000 }))

/** What is put on one proxy: also what `--render` writes, without a connection. */
export const hostTasks = (context: Context, it: Tenant) => {
  const { network, cluster, ssh, dns } = context
  const { tenant, egress } = it
  const { cidr } = network.privateNetwork
  const { tasks, handlers } = squidTasks({
    hostName: egress.proxy.name,
    tenants: [{ name: tenant, port: proxyPort, clients: [cidr], allow: egress.allow, mode: egress.mode }],
    inner: [cidr, cluster.podCidr, cluster.serviceCidr],
    nameservers: dns.nameservers,
    vars: varsOf(context, it),
  })
  const firewall = ufwTask({
    ssh: { allow: ssh.allow, port: ssh.port },
    proxy: { from: [cidr], ports: [proxyPort] },
  })
  return { tasks: [...tasks, { task: 'package' as const, name: 'ufw' }, firewall], handlers }
}
