import { type Context, proxiesIn, type Tenant } from './context.ts'
import { groupsOf, type Vars, varsOf } from './groups.ts'

/** How a host that exists is reached, as one who was not there when it was made has to know it. */
export type Reached = {
  host: string
  address: string
  port: number
  user: string
  identity: string
  /** Public host keys on record; with none, only the operator's own known_hosts can vouch for it. */
  hostKeys: string[]
  /** known_hosts files, where `hostKeys` do not. */
  knownHosts?: string[] | undefined
  /** What it is reached through (`user@host:port`), or '' for nothing; absent: the bastion, if there is one. */
  jump?: string | undefined
  /** More variables of this host, beside those of the inventory. */
  facts: Record<string, unknown>
}

type Group = { hosts?: string[]; children?: string[]; vars?: Vars }
export type DynamicInventory = { _meta: { hostvars: Record<string, Record<string, unknown>> } } & Record<string, Group>

/**
 * Ansible's contract for `--list`: every group with its hosts, children and vars, and every host's variables in `_meta`,
 * so that it need not ask for each. Hosts not made yet are not there: Ansible would look for them by name.
 */
export const dynamicInventory = (
  context: Context,
  reached: readonly Reached[],
  sshConfig: string,
): DynamicInventory => {
  const { groups = {}, vars } = context
  const live = proxiesIn(context).flatMap(({ tenant, proxy }) => {
    const it = reached.find(({ host }) => host === proxy.name)
    return it ? [{ tenant, privateIp: proxy.privateIp, ...it }] : []
  })
  const hostsIn = (name: string) => live.filter(it => it.tenant.groups?.includes(name)).map(it => it.host)
  const inner = new Set(Object.values(groups).flatMap(it => it.children ?? []))
  const roots = Object.keys(groups).filter(it => !inner.has(it))
  return {
    _meta: { hostvars: Object.fromEntries(live.map(it => [it.host, variables(context, it, sshConfig)])) },
    all: { children: ['ungrouped', 'egress', ...roots.map(ansibleName)], ...(vars && { vars }) },
    egress: { children: context.tenants.map(it => tenantGroup(it.tenant)) },
    ...Object.fromEntries(
      context.tenants.map(it => [
        tenantGroup(it.tenant),
        { hosts: live.filter(({ tenant }) => tenant === it).map(({ host }) => host) },
      ]),
    ),
    ...Object.fromEntries(
      Object.entries(groups).map(([name, { children, vars }]) => [
        ansibleName(name),
        { hosts: hostsIn(name), ...(children && { children: children.map(ansibleName) }), ...(vars && { vars }) },
      ]),
    ),
  } as DynamicInventory
}

/** What goes over what is decided here once: Ansible has another order for groups side by side. */
const variables = (
  context: Context,
  { tenant, privateIp, address, port, user, identity, facts }: Reached & { tenant: Tenant; privateIp: string },
  sshConfig: string,
) => ({
  ...varsOf(context, tenant),
  ansible_host: address,
  ansible_port: port,
  ansible_user: user,
  ansible_ssh_private_key_file: identity,
  ansible_ssh_common_args: `-F ${shellWord(sshConfig)}`,
  egress_tenant: tenant.tenant,
  egress_namespace: tenant.namespace,
  egress_groups: groupsOf(context, tenant),
  egress_private_ip: privateIp,
  ...facts,
})

/** Ansible wants group names that could be variables. */
export const ansibleName = (name: string): string => name.replaceAll('-', '_')

export const tenantGroup = (tenant: string): string => `tenant_${ansibleName(tenant)}`

const shellWord = (text: string) => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)
