import { createHash } from 'node:crypto'
import { join } from 'node:path'

/** Where one sandbox lives: its state, and which of the machine's names and addresses are its own. */
export type World = {
  slot: number
  /** Starts the name of every namespace of this sandbox. */
  prefix: string
  /** First three octets of its internet, a /24. */
  base: string
  directory: string
  /** A tmpfs: the disks, logs and records of hosts. It goes with the machine's power, like the namespaces. */
  hosts: string
  /** Sockets are here and not in the state directory, whose path may be longer than the 107 bytes a socket allows. */
  run: string
}

/**
 * Ranges no real host has: those for documentation (RFC 5737) first, then some of the one for benchmarks (RFC 2544),
 * because clouds number their own machines from 192.0.2.0/24 now and then.
 */
export const bases = ['203.0.113', '198.51.100', '192.0.2', '198.18.0', '198.18.1', '198.18.2']
export const runDirectory = '/run/kapsule-egress'

export const worldOf = (directory: string, slot: number): World => ({
  slot,
  prefix: prefixOf(slot),
  base: bases[slot]!,
  directory,
  hosts: join(directory, 'hosts'),
  run: join(runDirectory, String(slot)),
})

export const prefixOf = (slot: number): string => (slot === 0 ? 'eg-' : `eg${slot}-`)

export const services = (world: World) => ({
  router: `${world.base}.1`,
  dns: `${world.base}.2`,
  whatIsMyIp: `${world.base}.3`,
  partner: `${world.base}.4`,
  web: `${world.base}.5`,
  operator: `${world.base}.241`,
  operators: `${world.base}.240/28`,
})

/** A link's name: 15 bytes at most, the same for the same parts. */
export const linkName = (letter: string, ...parts: string[]): string =>
  letter + createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 10)

/** The link between the machine itself and its sandbox's internet; the only one in the root namespace. */
export const operatorLink = (world: World): string => `${world.prefix}op`

export const addressOf = (cidr: string): string => cidr.split('/')[0]!

/** The nth address of an IPv4 range. */
export const nth = (cidr: string, n: number): string => {
  const value = addressOf(cidr)
    .split('.')
    .reduce((sum, octet) => sum * 256 + Number(octet), 0)
  return [24, 16, 8, 0].map(shift => Math.floor((value + n) / 2 ** shift) % 256).join('.')
}
