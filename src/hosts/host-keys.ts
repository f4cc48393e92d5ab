import { createHash } from 'node:crypto'
import type { ParsedKey } from 'ssh2'
import { Problem } from '../engine/problem.ts'
import type { HostAddress } from './address.ts'
import { type KnownKeys, knownKeysIn } from './known-hosts.ts'
import { unknownHost } from './ssh-problems.ts'
import { parseKey } from './ssh2.ts'

/** The keys a host may show, and the algorithms that ask for them and no others. */
export type HostKeys = KnownKeys & { algorithms: string[] }

/** What is on record goes over known_hosts; without either it is a Problem, never a guess. */
export const hostKeysOf = (host: HostAddress): HostKeys => {
  const recorded = [host.hostKey].flat().filter(Boolean)
  const found = inFiles(host)
  const known = recorded.length ? recorded.map(line => publicKey(host, line)) : found.known
  const { revoked } = found
  if (known.length === 0 && revoked.length === 0) throw unknownHost(host)
  // Where only revoked keys are known, the host is asked for those, to say so.
  const types = (known.length ? known : revoked).flatMap(({ type }) => signatures(type))
  return { known, revoked, algorithms: [...new Set(types)] }
}

/** null: the key is right. Otherwise what is wrong with it, and its fingerprint. */
export const checkHostKey = ({ known, revoked }: HostKeys, key: Buffer) => {
  const isKey = (it: ParsedKey) => it.getPublicSSH().equals(key)
  const isRevoked = revoked.some(isKey)
  if (known.some(isKey) && !isRevoked) return null
  const hash = createHash('sha256').update(key).digest('base64').replace(/=+$/, '')
  return { offered: `SHA256:${hash}`, revoked: isRevoked }
}

const inFiles = ({ name, knownHosts = [], hostKeyAlias, address, port }: HostAddress): KnownKeys => {
  try {
    // An alias stands in the file without a port.
    return knownKeysIn(knownHosts, hostKeyAlias ?? address, hostKeyAlias ? 22 : port)
  } catch (cause) {
    const why = (cause as Error).message
    throw new Problem(`${name}: a known_hosts file cannot be read`, { why, next: 'let it be read', exit: 2, cause })
  }
}

const publicKey = (host: HostAddress, line: string): ParsedKey => {
  const key = parseKey(line)
  if (key instanceof Error)
    throw new Problem(`${host.name}: the host key on record cannot be read`, {
      why: `${key.message}: ${line.slice(0, 60)}`,
      next: 'put the line of its ssh_host_ed25519_key.pub there',
      exit: 2,
    })
  return key
}

const signatures = (type: string) => (type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type])
