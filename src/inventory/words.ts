import { z } from 'zod'
import { millis } from '../engine/duration.ts'

/** The small words of the inventory: each says what it is when it is wrong. */
export const name = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/,
    'a name is lower-case letters, digits and dashes, at most 40, and starts with a letter',
  )

export const cidr = z.string().refine(isCidr, 'an address range is like 203.0.113.0/24, or 2001:db8::/32')
export const cidr4 = z.cidrv4('an IPv4 address range is like 172.16.28.0/22')
export const address4 = z.ipv4('an IPv4 address is like 172.16.28.8')
export const port = z.int().min(1).max(65535)
/** A timer that is given more than this fires at once: a soak of a month would be none. */
const MOST_MS = 2 ** 31 - 1
export const duration = z
  .string('a duration is a text with its unit, like 30s')
  .regex(/^\d+(\.\d+)?(ms|s|m|h)$/, { error: 'a duration is like 500ms, 30s, 2m', abort: true })
  .refine(it => millis(it) <= MOST_MS, 'a duration is at most 24 days, 576h')
export const region = z.enum(['fr-par', 'nl-ams', 'pl-waw', 'it-mil'])
const zones = [
  ...['fr-par-1', 'fr-par-2', 'fr-par-3', 'nl-ams-1', 'nl-ams-2', 'nl-ams-3'],
  ...['pl-waw-1', 'pl-waw-2', 'pl-waw-3', 'it-mil-1'],
] as const
export const zone = z.enum(zones)
export const zonesOf = (region: string): string[] => zones.filter(it => it.startsWith(`${region}-`))
/** Where a connection leads: a name or an address, and a port that there is. */
export const place = z
  .string()
  .regex(/^([a-z0-9.-]+|\[[0-9a-f:.]+\]):\d{1,5}$/i, { error: 'it is like db.shop.svc:5432', abort: true })
  .refine(isPlace, 'a port is 1 to 65535, an IPv6 address stands in brackets')
export const url = z.url({ protocol: /^https?$/, error: 'a URL starts with http:// or https://' })
export const hostKey = z
  .string()
  .regex(/^(ssh|ecdsa|sk-ssh|sk-ecdsa)-[\w.@-]+ [A-Za-z0-9+/]+=*( .*)?$/, 'a host key is like ssh-ed25519 AAAA...')
export const path = z.string().min(1)

/** So many, or a share of all: 2, 25%. */
export const amount = z.union(
  [z.int().min(0), z.string().regex(/^(100|\d{1,2})(\.\d+)?%$/, 'a share is like 25%')],
  'a number of hosts, or a share like 25%',
)

/** Variables of hosts: plain values, by names that Ansible takes too and that none of ours or its own can hide. */
export const vars = z.record(
  z
    .string()
    .regex(
      /^(?!ansible_|egress_)[a-z_][a-zA-Z0-9_]{0,62}$/,
      'a variable is letters, digits and _, begins with a small letter, and not with ansible_ or egress_',
    ),
  z.union(
    [z.string(), z.number(), z.boolean(), z.array(z.string())],
    'a variable is text, a number, true, false or a list of texts',
  ),
)

function isCidr(text: string): boolean {
  return z.union([z.cidrv4(), z.cidrv6()]).safeParse(text).success
}

function isPlace(text: string): boolean {
  return URL.canParse(`tcp://${text}`) && Number(/:(\d+)$/.exec(text)?.[1]) > 0
}
