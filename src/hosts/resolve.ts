import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { Problem } from '../engine/problem.ts'
import type { HostAddress } from './address.ts'
import { readSshConfig, type SshConfig, type SshSettings, settingsFor } from './ssh-config.ts'

/** What is known of a host beforehand: it goes over what the config file says. */
export type Given = Partial<Omit<HostAddress, 'name'>>

/** A host by the name it has in ssh_config, bastions and all, as `ssh NAME` would reach it. */
export const resolveHost = (name: string, config: SshConfig, given: Given = {}, on: string[] = []): HostAddress => {
  const { home } = config
  const said = settingsFor(config, name)
  if (on.includes(name))
    throw new Problem(`${name}: it is reached through itself`, {
      why: `ProxyJump goes ${[...on, name].join(' > ')}`,
      next: 'mend ProxyJump in your ssh_config',
      exit: 2,
    })
  // `Host *` with a ProxyJump means the bastion as well, which is not reached through itself.
  const jumps = (said.proxyJump ?? []).filter(it => jumpOf(it).name !== name)
  const jump = given.jump ?? chain(jumps, config, [...on, name])
  return {
    name,
    address: said.hostName ?? name,
    port: said.port ?? 22,
    user: said.user ?? userInfo().username,
    hostKey: [],
    knownHosts: said.userKnownHostsFile ?? usualKnownHosts(home),
    ...optional(said),
    ...given,
    ...(jump && { jump }),
  }
}

/** An address with what its `config` adds; each file is read once. */
export const completing = (): ((host: HostAddress) => HostAddress) => {
  const files = new Map<string, SshConfig>()
  const complete = ({ name, config, ...given }: HostAddress): HostAddress => {
    const host = { ...given, ...(given.jump && { jump: complete(given.jump) }) }
    if (!config) return { name, ...host }
    const file = files.get(config) ?? readSshConfig(config)
    files.set(config, file)
    return resolveHost(name, file, host)
  }
  return complete
}

const optional = ({ identityFile, hostKeyAlias, identityAgent, compression }: SshSettings): Given => ({
  ...(identityFile.length && { identity: identityFile }),
  ...(hostKeyAlias && { hostKeyAlias }),
  ...(identityAgent && { agent: identityAgent }),
  ...(compression && { compress: true }),
})

/** `a,b`: through a, and from there through b. Only the first of them is reached as the file says. */
const chain = (jumps: string[], config: SshConfig, on: string[]): HostAddress | undefined =>
  jumps.reduce<HostAddress | undefined>((before, it) => {
    const { name, ...said } = jumpOf(it)
    return resolveHost(name, config, { ...said, ...(before && { jump: before }) }, on)
  }, undefined)

/** `[user@]host[:port]` or `ssh://[user@]host[:port]`; an IPv6 address stands in brackets. */
export const jumpOf = (text: string): { name: string; user?: string; port?: number } => {
  const found = /^(?:ssh:\/\/)?(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?\/?$/.exec(text.trim())
  if (!found)
    throw new Problem(`${text} is no way to reach a bastion`, {
      why: 'it is not like user@host:port',
      next: 'mend ProxyJump',
      exit: 2,
    })
  const [, user, v6, host, port] = found
  return { name: (v6 ?? host)!, ...(user && { user }), ...(port && { port: Number(port) }) }
}

export const usualKnownHosts = (home = homedir()): string[] => [
  join(home, '.ssh/known_hosts'),
  join(home, '.ssh/known_hosts2'),
  '/etc/ssh/ssh_known_hosts',
]
