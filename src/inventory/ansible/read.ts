import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { Problem } from '../../engine/problem.ts'
import { readIni } from './ini.ts'
import { type AnsibleVars, complete, groupsOfHost, newTree, type Tree } from './tree.ts'
import { mapOf, readVars, readYaml } from './yaml.ts'

/** An Ansible inventory: its groups, and every host's variables with all that goes over what. */
export type AnsibleInventory = { tree: Tree; varsOf(host: string): AnsibleVars }

/**
 * Reads an inventory as Ansible does: a file (INI or YAML) or a folder of such, `group_vars` and `host_vars` beside it.
 * Runs nothing: a program or a plugin is refused, and so is what is encrypted as a whole. Throws Problems with exit 2.
 */
export const readAnsible = (path: string): AnsibleInventory => {
  const folder = kindOf(path) === 'folder'
  const tree = newTree()
  for (const file of folder ? sources(path) : [path]) readSource(tree, file)
  complete(tree)
  const home = folder ? path : dirname(path)
  const fromFiles = (kind: 'group_vars' | 'host_vars', name: string) => varsIn(join(home, kind), name)
  const known = new Map<string, AnsibleVars>()
  const groupVars = (name: string) => {
    const found = known.get(name) ?? fromFiles('group_vars', name)
    known.set(name, found)
    return found
  }
  return {
    tree,
    varsOf(host) {
      const groups = groupsOfHost(tree, host)
      const others = groups.filter(it => it.name !== 'all')
      const merged: AnsibleVars = Object.assign(
        {},
        ...groups.map(it => it.vars),
        groupVars('all'),
        ...others.map(it => groupVars(it.name)),
        tree.hosts.get(host),
        fromFiles('host_vars', host),
      )
      delete merged.ansible_group_priority
      return merged
    },
  }
}

const ignored = ['.pyc', '.pyo', '.swp', '.bak', '.rpm', '.md', '.txt', '.rst', '.orig', '.cfg', '.retry']

/** The inventories of a folder, in the order of their names. */
const sources = (folder: string): string[] =>
  readdirSync(folder)
    .sort()
    .filter(it => !['group_vars', 'host_vars'].includes(it) && !it.startsWith('.') && !it.endsWith('~'))
    .filter(it => !ignored.includes(extname(it)) && extname(it) !== '.ini')
    .map(it => join(folder, it))
    .flatMap(it => (kindOf(it) === 'folder' ? sources(it) : [it]))

const readSource = (tree: Tree, file: string) => {
  const text = textOf(file)
  if (text.startsWith('#!') || (statSync(file).mode & 0o111) !== 0)
    throw new Problem(`${file} is a program`, {
      why: 'an inventory is read here, never run',
      next: `save what it says: ansible-inventory -i ${file} --list --yaml > hosts.yml, and name that`,
      exit: 2,
    })
  if (['.yml', '.yaml', '.json'].includes(extname(file)) || /^---\s/.test(text)) readYaml(tree, file, text)
  else readIni(tree, file, text)
}

/** `group_vars/NAME`, with an ending or without, or a folder of files. */
const varsIn = (folder: string, name: string): AnsibleVars => {
  if (name.includes('/')) return {}
  const found: AnsibleVars = {}
  for (const ending of ['', '.yml', '.yaml', '.json']) {
    const path = join(folder, `${name}${ending}`)
    const kind = kindOf(path, false)
    for (const file of kind === 'folder' && ending === '' ? filesBelow(path) : kind === 'file' ? [path] : []) {
      const { value, fail } = readVars(file, textOf(file))
      Object.assign(found, mapOf(value, [], fail))
    }
    if (kind !== 'none') break
  }
  return found
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder)
    .sort()
    .filter(it => !it.startsWith('.') && !it.endsWith('~'))
    .map(it => join(folder, it))
    .flatMap(it => (kindOf(it) === 'folder' ? filesBelow(it) : [it]))
    .filter(it => ['', '.yml', '.yaml', '.json'].includes(extname(basename(it))))

const kindOf = (path: string, needed = true): 'file' | 'folder' | 'none' => {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file'
  } catch (cause) {
    if (!needed) return 'none'
    throw unreadable(path, cause)
  }
}

const textOf = (file: string) => {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw unreadable(file, cause)
  }
}

const unreadable = (file: string, cause: unknown) =>
  new Problem(`${file} cannot be read`, {
    why: (cause as Error).message,
    next: 'name an inventory of Ansible that you may read: a file or a folder',
    exit: 2,
    cause,
  })
