import { makePlan } from '../../engine/plan.ts'
import type { ExitCode } from '../../engine/problem.ts'
import { Problem } from '../../engine/problem.ts'
import type { Session } from '../session.ts'
import { siteOf } from '../stages.ts'
import { finish, noChanges } from '../summary.ts'

/** Ansible's contract for dynamic inventories: `--list` is everything, `--host NAME` one host's variables. */
export const inventory = async (session: Session): Promise<ExitCode> => {
  const { flags, context } = session
  const hostvars = await hostVariables(session)
  if (flags.host !== undefined) {
    const found = hostvars[flags.host]
    if (!found) throw noHost(flags.host, Object.keys(hostvars))
    return tell(session, found)
  }
  const groups = context.tenants.map(it => [groupName(it.tenant), { hosts: [it.egress.proxy.name] }] as const)
  const list = {
    _meta: { hostvars },
    all: { children: ['egress', 'ungrouped'] },
    egress: { children: groups.map(([name]) => name) },
    ...Object.fromEntries(groups),
  }
  return tell(session, list)
}

/** What Ansible reads; with --json one event of it, and the summary. */
const tell = (session: Session, answer: object): ExitCode => {
  session.output.data(JSON.stringify(answer, null, 2))
  session.output.event('inventory', { inventory: answer })
  return finish(session, { status: 'ok', changes: noChanges })
}

/** Ansible wants group names that could be variables. */
const groupName = (tenant: string) => `tenant_${tenant.replaceAll('-', '_')}`

const hostVariables = async (session: Session): Promise<Record<string, Record<string, unknown>>> => {
  const { context, world } = session
  const site = siteOf(session)
  const plan = await makePlan(site.cloud, world)
  const live = (id: string) => plan.seen.get(id)?.live as Record<string, unknown> | null | undefined
  const entries = context.tenants.map(({ tenant, namespace, egress: { proxy } }) => {
    const server = live(`server/${proxy.name}`)
    const address = live(`flexible-ip/${proxy.name}`)?.address
    return [
      proxy.name,
      {
        ...(address ? { ansible_host: address } : {}),
        ansible_port: context.ssh.port,
        ansible_user: context.ssh.user,
        ansible_ssh_private_key_file: context.ssh.identity,
        egress_tenant: tenant,
        egress_namespace: namespace,
        egress_private_ip: proxy.privateIp,
        ...(address ? { egress_public_ip: address } : {}),
        ...(server?.hostKey ? { egress_host_key: server.hostKey } : {}),
      },
    ] as const
  })
  return Object.fromEntries(entries)
}

const noHost = (name: string, known: string[]) =>
  new Problem(`no host ${name}`, { why: `the hosts are ${known.join(', ')}`, next: 'name one of these', exit: 2 })
