import { isMap, isScalar, LineCounter, parseDocument, type ScalarTag, type Tags } from 'yaml'
import { Problem } from '../../engine/problem.ts'
import { hostsNamed } from './hostnames.ts'
import { type AnsibleVars, groupIn, holds, hostIn, type Tree, type Value } from './tree.ts'

/** What ansible-inventory calls values that are encrypted, or are no template. */
const own: ScalarTag[] = ['vault', 'unsafe'].map(name => ({
  tag: `!${name}`,
  resolve: text => ({ [`__ansible_${name}`]: text }),
}))

/** YAML 1.1 as Ansible's reader has it: `y` and `n` are text, so are dates, and so is 1e3. */
const tags = (usual: Tags): Tags => [
  ...usual
    .filter(it => typeof it === 'object' && !it.tag.endsWith(':timestamp'))
    .map(it => {
      if (typeof it !== 'object' || !('test' in it) || !it.test) return it
      if (it.tag.endsWith(':bool'))
        return { ...it, test: it.test.test('yes') ? /^(yes|Yes|YES|true|True|TRUE|on|On|ON)$/ : noes }
      return 'format' in it && it.format === 'EXP' ? { ...it, test: /^[-+]?[0-9][0-9_]*\.[0-9_]*[eE][-+][0-9]+$/ } : it
    }),
  ...own,
]

const noes = /^(no|No|NO|false|False|FALSE|off|Off|OFF)$/

/** YAML as Ansible reads it: version 1.1, where `yes` is true and 0644 a number. Throws a Problem with the line. */
export const readVars = (file: string, text: string): { value: Value; fail: Fail } => {
  if (text.startsWith('$ANSIBLE_VAULT;'))
    throw new Problem(`${file} is encrypted`, {
      why: 'Ansible Vault is not opened here',
      next: `decrypt it with ansible-vault, or read what \`ansible-inventory --list --yaml\` makes of it`,
      exit: 2,
    })
  const lines = new LineCounter()
  const yaml = parseDocument(text, {
    ...{ version: '1.1', merge: true, customTags: tags, lineCounter: lines, prettyErrors: false, uniqueKeys: false },
  })
  const fail: Fail = (path, why) => {
    const parent = path.length > 1 ? yaml.getIn(path.slice(0, -1), true) : yaml.contents
    const pair = isMap(parent) ? parent.items.find(it => isScalar(it.key) && it.key.value === path.at(-1)) : undefined
    const range = isScalar(pair?.key) ? pair.key.range : undefined
    return mistake(file, range ? lines.linePos(range[0]).line : 1, path.join('.') || 'it', why)
  }
  const [bad] = [...yaml.errors, ...yaml.warnings]
  if (bad) throw mistake(file, lines.linePos(bad.pos[0]).line, 'it', bad.message)
  try {
    const value = (yaml.toJS() ?? {}) as Value
    // An alias inside of what it stands for has no end.
    JSON.stringify(value)
    return { value, fail }
  } catch (error) {
    throw mistake(file, 1, 'it', `its aliases cannot be followed: ${(error as Error).message.split('\n')[0]}`)
  }
}

type Fail = (path: readonly string[], why: string) => Problem

/** A YAML inventory, put into a tree. */
export const readYaml = (tree: Tree, file: string, text: string): void => {
  const { value, fail } = readVars(file, text)
  const groups = mapOf(value, [], fail)
  if ('plugin' in groups)
    throw fail(['plugin'], 'this configures a plugin of Ansible: save `ansible-inventory --list --yaml` and name that')
  for (const [name, it] of Object.entries(groups)) group(tree, name, it, [name], fail)
}

const group = (tree: Tree, name: string, value: Value, path: string[], fail: Fail) => {
  const { name: known, vars, hosts, children } = { ...groupIn(tree, name) }
  for (const [key, part] of Object.entries(mapOf(value, path, fail))) {
    const here = [...path, key]
    if (key === 'vars') Object.assign(vars, mapOf(part, here, fail))
    else if (key === 'hosts')
      for (const it of Object.entries(mapOf(part, here, fail))) host(tree, hosts, it, here, fail)
    else if (key === 'children')
      for (const [child, it] of Object.entries(mapOf(part, here, fail))) {
        if (holds(tree, child, known)) throw fail([...here, child], `${child} is above ${known} already`)
        children.add(child)
        group(tree, child, it, [...here, child], fail)
      }
    else throw fail(here, 'a group has hosts, children and vars')
  }
}

const host = (tree: Tree, hosts: Set<string>, [pattern, value]: [string, Value], path: string[], fail: Fail) => {
  const vars = mapOf(value, [...path, pattern], fail)
  try {
    const { names, port } = hostsNamed(pattern)
    for (const name of names) {
      hosts.add(name)
      Object.assign(hostIn(tree, name), port !== undefined && { ansible_port: port }, vars)
    }
  } catch (error) {
    throw fail([...path, pattern], (error as Error).message)
  }
}

/** Nothing and a lone name stand for a map, as they do for Ansible. */
export const mapOf = (value: Value, path: readonly string[], fail: Fail): AnsibleVars => {
  if (value === null) return {}
  if (typeof value === 'string' && value !== '' && path.length > 0) return { [value]: null }
  if (typeof value === 'object' && !Array.isArray(value)) return value
  throw fail(path, 'here stand names with values below them')
}

const mistake = (file: string, line: number, what: string, why: string) =>
  new Problem(`${file}:${line}: ${what} cannot be read as an inventory`, {
    why,
    next: 'correct it; nothing was touched',
    exit: 2,
    at: { file, line, column: 1 },
  })
