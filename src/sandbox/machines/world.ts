import { createHash } from 'node:crypto'
import { join } from 'node:path'

/** Where one sandbox lives: its state, and which of the machine's names and addresses are its own. */
export type World = {
  slot: number
  /** Starts the name of every namespace of this sandbox. */
  prefix: string
  /** Its internet, a /25. */
  range: string
  directory: string
  /** A tmpfs: the disks, logs and records of hosts. It goes with the machine's power, like the namespaces. */
  hosts: string
  /** Sockets are here and not in the state directory, whose path may be longer than the 107 bytes a socket allows. */
  run: string
}

/**
 * Ranges no real host should have: the halves of those for documentation (RFC 5737), and of one that was given back
 * (RFC 7526). One that the machine itself uses is left out.
 */
export const ranges = ['198.51.100', '203.0.113', '192.0.2', '192.88.99'].flatMap(it => [`${it}.0/25`, `${it}.128/25`])
export const runDirectory = '/run/kapsule-egress'

export const worldOf = (directory: string, slot: number): World => ({
  slot,
  prefix: prefixOf(slot),
  range: ranges[slot]!,
  directory,
  hosts: join(directory, 'hosts'),
  run: join(runDirectory, String(slot)),
})

export const prefixOf = (slot: number): string => (slot === 0 ? 'eg-' : `eg${slot}-`)

/** The nth address of a sandbox's internet, 0 to 127. */
export const at = ({ range }: Pick<World, 'range'>, n: number): string => nth(range, n)

export const services = (world: World) => ({
  router: at(world, 1),
  dns: at(world, 2),
  whatIsMyIp: at(world, 3),
  partner: at(world, 4),
  web: at(world, 5),
  operator: at(world, 113),
  operators: `${at(world, 112)}/28`,
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
