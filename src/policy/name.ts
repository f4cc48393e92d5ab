import { createRequire } from 'node:module'
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { lazily } from '../engine/lazily.ts'

const suffixes = lazily(() => createRequire(import.meta.url)('tldts') as typeof import('tldts'))

/** What an entry names, normalised; or what is wrong with it and what to write instead. */
export type Named = { name: string } | { why: string; next: string }

const example = 'write a name such as api.example.com, or .example.com for it and everything below it'

/** A domain of an entry: to NFC, punycode and lower case, without one dot at the end. */
export const nameOf = (text: string): Named => {
  const below = text.startsWith('.')
  const bare = (below ? text.slice(1) : text).normalize('NFC')
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text))
    return { why: 'a domain has no scheme', next: 'leave out http:// or https://, and the path' }
  if (text.includes('*')) {
    const next = `.${bare.replace(/^[*.]+/, '') || 'example.com'} stands for the domain and everything below it`
    return { why: 'no * in a domain', next }
  }
  if (/^\[?[0-9a-f:.]*:[0-9a-f:.]*:/i.test(bare) || isIP(bare)) return anAddress
  if (/:\d+$/.test(bare)) return { why: 'a domain has no port', next: `write ports: [${bare.split(':').at(-1)}]` }
  if (/[\s/:@?#%[\]\\\p{C}]/u.test(bare)) return { why: 'it is not a host name', next: example }
  const name = domainToASCII(bare).toLowerCase().replace(/\.$/, '')
  if (!name) return { why: 'it is not a host name', next: example }
  if (isIP(name) || endsInNumber(name)) return anAddress
  const label = name.split('.').find(it => !isLabel(it))
  if (label !== undefined) return { why: `${JSON.stringify(label)} cannot be a part of a domain`, next: example }
  if (name.length > 253) return { why: 'a domain has at most 253 characters', next: example }
  return { name: below ? `.${name}` : name }
}

const anAddress = { why: 'an address is not a domain', next: 'write address: instead, if it is really meant' }

/** An address of an entry in the one form that is compared; null: it is none. */
export const addressOf = (text: string): string | null => {
  if (isIP(text) === 4) return text
  if (isIP(text) !== 6 || text.includes('%')) return null
  return new URL(`http://[${text}]`).hostname.slice(1, -1)
}

/**
 * The host of a request as rules name it: lower case, without one dot at the end, addresses canonical. Null: odd,
 * e.g. an address in octal or as one number, or IPv4 inside IPv6: what others might read as another place.
 */
export const hostOf = (text: string): string | null => {
  if (text.includes(':')) {
    const address = addressOf(text)
    return address?.startsWith('::ffff:') ? null : address
  }
  if (isIP(text) === 4) return text
  const name = text.toLowerCase().replace(/\.$/, '')
  if (name.length > 253 || endsInNumber(name) || !name.split('.').every(isLabel)) return null
  return name
}

/** A name that may stand for a whole registry: nobody's own, and everybody can have one below it. */
export const suffixKind = (name: string): 'icann' | 'private' | null => {
  const bare = name.replace(/^\./, '')
  const { publicSuffix, isIcann, isPrivate } = suffixes().parse(bare, {
    allowPrivateDomains: true,
    validateHostname: false,
  })
  if (publicSuffix !== bare) return null
  return isIcann || !bare.includes('.') ? 'icann' : isPrivate ? 'private' : null
}

/** Where rules for a host are looked for, the nearest first: itself, then it and all below, then its parents. */
export const lookups = (host: string): string[] => {
  if (isIP(host)) return [host]
  const labels = host.split('.')
  return [host, ...labels.map((_, n) => `.${labels.slice(n).join('.')}`)]
}

const isLabel = (it: string) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(it)

/** Such a name is an address to some readers, in one of its odd spellings. */
const endsInNumber = (name: string) => /^(\d+|0x[0-9a-f]*)$/.test(name.split('.').at(-1) ?? '')
