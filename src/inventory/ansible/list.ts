import type { AnsibleInventory } from './read.ts'
import type { AnsibleVars } from './tree.ts'

/** What `ansible-inventory --list` says of the same files. */
export const listOf = ({ tree, varsOf }: AnsibleInventory) => {
  const hostvars: Record<string, AnsibleVars> = {}
  for (const name of tree.hosts.keys()) {
    const vars = varsOf(name)
    if (Object.keys(vars).length > 0) hostvars[name] = vars
  }
  const groups = [...tree.groups.values()].map(({ name, hosts, children }) => {
    const told = {
      ...(children.size > 0 && { children: [...children] }),
      ...(hosts.size > 0 && name !== 'all' && { hosts: [...hosts] }),
    }
    return [name, told] as const
  })
  return {
    _meta: { hostvars },
    ...Object.fromEntries(groups.filter(([, told]) => Object.keys(told).length > 0)),
  }
}
