export type Value = string | number | boolean | null | Value[] | { [key: string]: Value }
export type AnsibleVars = Record<string, Value>
export type Group = { name: string; vars: AnsibleVars; hosts: Set<string>; children: Set<string> }

/** What inventory files say, put together: groups in groups, hosts in them, and the variables of both. */
export type Tree = { groups: Map<string, Group>; hosts: Map<string, AnsibleVars> }

export const newTree = (): Tree => {
  const tree: Tree = { groups: new Map(), hosts: new Map() }
  groupIn(tree, 'all')
  return tree
}

export const groupIn = (tree: Tree, name: string): Group => {
  const known = tree.groups.get(name)
  if (known) return known
  const made: Group = { name, vars: {}, hosts: new Set(), children: new Set() }
  tree.groups.set(name, made)
  return made
}

export const hostIn = (tree: Tree, name: string): AnsibleVars => {
  const vars = tree.hosts.get(name) ?? {}
  tree.hosts.set(name, vars)
  return vars
}

/** Does a group hold another one, at any depth? */
export const holds = (tree: Tree, outer: string, inner: string): boolean => {
  const seen = new Set<string>()
  const visit = (name: string): boolean => {
    if (name === inner) return true
    if (seen.has(name)) return false
    seen.add(name)
    return [...(tree.groups.get(name)?.children ?? [])].some(visit)
  }
  return visit(outer)
}

/** What is in no group is in `ungrouped`, and what is below no group is below `all`. */
export const complete = (tree: Tree): Tree => {
  const all = groupIn(tree, 'all')
  const ungrouped = groupIn(tree, 'ungrouped')
  const others = [...tree.groups.values()].filter(it => it !== all && it !== ungrouped)
  const inner = new Set(others.flatMap(it => [...it.children]))
  all.children = new Set(['ungrouped', ...all.children])
  for (const { name } of others) if (!inner.has(name)) all.children.add(name)
  for (const name of tree.hosts.keys()) {
    if (others.some(it => it.hosts.has(name))) ungrouped.hosts.delete(name)
    else ungrouped.hosts.add(name)
  }
  all.hosts.clear()
  return tree
}

/** A host's groups in the order in which the later go over the earlier: depth, then priority, then name. */
export const groupsOfHost = (tree: Tree, host: string): Group[] => {
  const direct = [...tree.groups.values()].filter(it => it.hosts.has(host))
  const found = new Set<Group>()
  const visit = (group: Group) => {
    if (found.has(group)) return
    found.add(group)
    for (const it of tree.groups.values()) if (it.children.has(group.name)) visit(it)
  }
  for (const it of [...direct, groupIn(tree, 'all')]) visit(it)
  const depth = depthsIn(tree)
  const priority = ({ vars: { ansible_group_priority: it } }: Group) => (it === undefined ? 1 : Number(it))
  return [...found].sort(
    (a, b) =>
      depth(a.name) - depth(b.name) || priority(a) - priority(b) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  )
}

/** The longest way down from `all`. */
const depthsIn = (tree: Tree) => {
  const known = new Map<string, number>([['all', 0]])
  const depth = (name: string): number => {
    const before = known.get(name)
    if (before !== undefined) return before
    const parents = [...tree.groups.values()].filter(it => it.children.has(name))
    const found = 1 + Math.max(0, ...parents.map(it => depth(it.name)))
    known.set(name, found)
    return found
  }
  return depth
}
