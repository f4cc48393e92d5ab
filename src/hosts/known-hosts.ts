import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ParsedKey } from 'ssh2'
import { parseKey } from './ssh2.ts'

type Entry = { hosts: string; revoked: boolean; key: ParsedKey }
export type KnownKeys = { known: ParsedKey[]; revoked: ParsedKey[] }

/** What a known_hosts file says of a host; its names may be hashed, or patterns. @see sshd(8), SSH_KNOWN_HOSTS */
export const knownKeys = (text: string, host: string, port: number): KnownKeys => {
  const name = (port === 22 ? host : `[${host}]:${port}`).toLowerCase()
  const found = entries(text).filter(it => matchesHost(it.hosts, name))
  return {
    known: found.filter(it => !it.revoked).map(it => it.key),
    revoked: found.filter(it => it.revoked).map(it => it.key),
  }
}

/** The same of several files, of which some may not exist. */
export const knownKeysIn = (paths: string[], host: string, port: number): KnownKeys => {
  const all = paths.map(path => knownKeys(textOf(path), host, port))
  return { known: all.flatMap(it => it.known), revoked: all.flatMap(it => it.revoked) }
}

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

/** Certificate authorities, and keys of types that ssh2 does not know, are left out: they vouch for nothing here. */
const entries = (text: string): Entry[] =>
  text.split('\n').flatMap(line => {
    const words = line.trim().split(/\s+/)
    const marker = words[0]?.startsWith('@') ? words.shift() : undefined
    const [hosts, type, data] = words
    if (!hosts || hosts.startsWith('#') || !type || !data || marker === '@cert-authority') return []
    if (marker && marker !== '@revoked') return []
    const key = parseKey(`${type} ${data}`)
    return key instanceof Error ? [] : [{ hosts, revoked: marker === '@revoked', key }]
  })

const matchesHost = (hosts: string, name: string): boolean => {
  const hashed = /^\|1\|([^|]+)\|([^|]+)$/.exec(hosts)
  if (hashed) {
    const [, salt = '', hash = ''] = hashed
    return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash
  }
  return matchesPatterns(hosts.split(','), name)
}

/** `*` and `?` as in ssh_config(5); a pattern with `!` that fits rules out. */
export const matchesPatterns = (patterns: string[], name: string): boolean => {
  const fits = (pattern: string) => {
    const source = pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')
    return new RegExp(`^${source}$`, 'i').test(name)
  }
  if (patterns.some(it => it.startsWith('!') && fits(it.slice(1)))) return false
  return patterns.some(it => !it.startsWith('!') && fits(it))
}
