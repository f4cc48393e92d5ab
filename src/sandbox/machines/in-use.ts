import { lookup } from 'node:dns/promises'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readText } from './files.ts'
import { nth, ranges } from './world.ts'

/**
 * Addresses that this machine talks to: its open connections, name servers, hosts file and package sources. Some
 * networks use documentation ranges for services of their own, and a sandbox in the way would cut the machine off.
 */
export const addressesInUse = async (): Promise<string[]> => {
  const resolvers = words(readText('/etc/resolv.conf'), /^nameserver\s+(\S+)/gm)
  const hosts = words(readText('/etc/hosts'), /^(\d[\d.]+)\s/gm)
  const peers = peersIn(readText('/proc/net/tcp') ?? '')
  const looked = await Promise.all(packageHosts().map(addressesOf))
  return [...new Set([...resolvers, ...hosts, ...peers, ...looked.flat()])]
}

/** Is an address in a /25? */
export const isIn = (address: string, range: string): boolean => {
  const number = (it: string) => it.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0)
  const first = number(nth(range, 0))
  return number(address) >= first && number(address) < first + 128
}

/** Who connections go to; not those that an earlier sandbox left, whose own end is in the same range. */
export const peersIn = (table: string): string[] =>
  [...table.matchAll(/^\s*\d+: ([0-9A-F]{8}):\w+ ([0-9A-F]{8}):/gm)]
    .map(([, own, other]) => ({ own: fromHex(own!), other: fromHex(other!) }))
    .flatMap(({ own, other }) => (ranges.some(it => isIn(own, it) && isIn(other, it)) ? [] : [other]))

/** /proc writes an address as one little-endian number. */
export const fromHex = (hex: string): string =>
  [6, 4, 2, 0].map(at => Number.parseInt(hex.slice(at, at + 2), 16)).join('.')

const words = (text: string | null, pattern: RegExp): string[] => [...(text ?? '').matchAll(pattern)].map(it => it[1]!)

const packageHosts = (): string[] => {
  const folder = '/etc/apt/sources.list.d'
  const files = ['/etc/apt/sources.list', ...list(folder).map(it => join(folder, it))]
  return [...new Set(files.flatMap(it => words(readText(it), /https?:\/\/([^/\s:]+)/g)))]
}

const list = (folder: string): string[] => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** A name that cannot be looked up within a second is in nobody's way. */
const addressesOf = async (name: string): Promise<string[]> => {
  const late = new Promise<[]>(resolve => setTimeout(resolve, 1000, []).unref())
  const found = lookup(name, { all: true, family: 4 }).then(
    all => all.map(it => it.address),
    () => [],
  )
  return Promise.race([found, late])
}
