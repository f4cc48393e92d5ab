import { homedir } from 'node:os'
import { join } from 'node:path'
import { Problem } from '../../engine/problem.ts'
import type { AnsibleInventory } from './read.ts'
import { type AnsibleVars, groupsOfHost } from './tree.ts'
import { wordsOf } from './words.ts'

/** A host that exists already, as an inventory of Ansible knows it. What it leaves out is the context's to say. */
export type Machine = {
  host: string
  address: string
  port?: number
  user?: string
  identity?: string
  /** From the variable `egress_host_key`, a text or a list; none: known_hosts has to know it. */
  hostKeys: string[]
  /** An ssh_config (`-F`), and a host to go through (`-J`), of ansible_ssh_common_args. */
  config?: string
  jump?: { address: string; port: number; user?: string }
  groups: string[]
  /** Its variables for templates, without Ansible's own. */
  vars: AnsibleVars
}

/** How Ansible would reach one of its hosts. Throws a Problem (exit 2) for what only Ansible can do. */
export const machineOf = (inventory: AnsibleInventory, host: string, from: string): Machine => {
  const vars = inventory.varsOf(host)
  const refuse = (name: string, why: string) =>
    new Problem(`${from}: ${host} cannot be reached as ${name} says`, {
      why,
      next: `give ${host} an ansible_host and the like as plain values, reached by SSH`,
      exit: 2,
    })
  const plain = (...names: string[]): string | undefined => {
    const name = names.find(it => vars[it] !== undefined && vars[it] !== null)
    if (name === undefined) return undefined
    const value = vars[name]
    if (typeof value !== 'string' && typeof value !== 'number') throw refuse(name, 'it is encrypted, or no plain value')
    if (/\{\{|\{%/.test(String(value))) throw refuse(name, `${value} is a template`)
    return String(value)
  }
  const connection = plain('ansible_connection') ?? 'ssh'
  if (!['ssh', 'smart', 'paramiko', 'paramiko_ssh'].includes(connection))
    throw refuse('ansible_connection', `it is ${connection}`)
  const port = plain('ansible_port', 'ansible_ssh_port')
  if (port !== undefined && !/^\d{1,5}$/.test(port)) throw refuse('ansible_port', `${port} is no port`)
  const user = plain('ansible_user', 'ansible_ssh_user')
  const identity = plain('ansible_ssh_private_key_file', 'ansible_private_key_file')
  return {
    host,
    address: plain('ansible_host', 'ansible_ssh_host') ?? host,
    ...(port !== undefined && { port: Number(port) }),
    ...(user !== undefined && { user }),
    ...(identity !== undefined && { identity: atHome(identity) }),
    hostKeys: [vars.egress_host_key ?? []].flat().map(String),
    ...argsOf(plain('ansible_ssh_common_args') ?? '', refuse),
    groups: groupsOfHost(inventory.tree, host)
      .map(it => it.name)
      .filter(it => it !== 'all' && it !== 'ungrouped'),
    vars: Object.fromEntries(Object.entries(vars).filter(([name]) => isOurs(name))),
  }
}

/** Ansible's own words and passwords are nothing for a template. */
const isOurs = (name: string) => !/^(ansible_|egress_host_key$)/.test(name)

/** What of ssh's arguments says where to go; how strictly is not up to them. */
const argsOf = (text: string, refuse: (name: string, why: string) => Problem): Pick<Machine, 'config' | 'jump'> => {
  const found: Pick<Machine, 'config' | 'jump'> = {}
  const words = wordsOf(text)
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    const [, flag, glued] = /^-([FJo])(.*)$/.exec(word) ?? []
    if (flag === undefined) continue
    const value = glued || (words[++at] ?? '')
    const [, option = '', said = ''] = flag === 'o' ? (/^(\w+)(?:\s*=\s*|\s+)(.*)$/.exec(value) ?? []) : []
    if (/^proxycommand$/i.test(option)) throw refuse('ansible_ssh_common_args', 'ProxyCommand runs a program; use -J')
    if (flag === 'F') found.config = atHome(value)
    if (flag === 'J' || /^proxyjump$/i.test(option)) found.jump = jumpOf(flag === 'J' ? value : said, refuse)
  }
  return found
}

const jumpOf = (text: string, refuse: (name: string, why: string) => Problem): NonNullable<Machine['jump']> => {
  const [, user, bracketed, plain, port = '22'] =
    /^(?:ssh:\/\/)?(?:([^@,]+)@)?(?:\[([^\]]+)\]|([^:,@[\]]+))(?::(\d+))?$/.exec(text) ?? []
  const address = bracketed ?? plain
  if (!address) throw refuse('ansible_ssh_common_args', `${text} is not one host to go through`)
  return { address, port: Number(port), ...(user && { user }) }
}

const atHome = (path: string) => (path.startsWith('~/') ? join(homedir(), path.slice(2)) : path)
