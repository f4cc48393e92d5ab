import { domainToASCII } from 'node:url'
import { Problem } from '../engine/problem.ts'
import type { Request } from '../policy/policy.ts'

/** What a client would ask the proxy for: a URL, or `CONNECT host:port`. Hosts stay as they are written. */
export const askedOf = (words: readonly string[], method = 'GET'): Request => {
  const text = words.join(' ')
  const [, host, port] = /^CONNECT (\[[^\]]*\]|[^\s:]+):(\d{1,5})$/i.exec(text) ?? []
  if (host && port) return { method: 'CONNECT', protocol: 'connect', scheme: '', ...placeOf(host, Number(port)) }
  const url = /^([a-z][a-z0-9+.-]*):\/\/([^/?#@\s]*@)?(\[[^\]]*\]|[^:/?#\s]+)(?::(\d{1,5}))?([/?#]\S*)?$/i.exec(text)
  if (!url) throw noUrl(text)
  const scheme = url[1]!.toLowerCase()
  const named = url[4] === undefined ? undefined : Number(url[4])
  if (scheme === 'https')
    return { method: 'CONNECT', protocol: 'connect', scheme: '', ...placeOf(url[3]!, named ?? 443) }
  const [login, path] = [url[2] !== undefined, url[5] ?? '/']
  return { method, protocol: 'http', scheme, ...placeOf(url[3]!, named ?? 80), ...(login && { login }), path }
}

// Clients send other scripts in punycode.
const placeOf = (host: string, port: number) => {
  const bare = host.replace(/^\[|\]$/g, '')
  return { host: /[^\x20-\x7e]/.test(bare) ? domainToASCII(bare) : bare, port }
}

const noUrl = (text: string) =>
  new Problem(`${JSON.stringify(text)} is nothing to ask for`, {
    why: text ? 'it is neither a URL nor CONNECT host:port' : 'no URL was given',
    next: 'e.g. npx zx scripts/explain.mjs --tenant client-a https://api.github.com/',
    exit: 2,
  })
