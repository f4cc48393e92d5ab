import { isIP } from 'node:net'
import { decide, isOver } from './decide.ts'
import type { Policy, Protocol, Rule } from './policy.ts'

/** `noted`: report mode lets it through and writes down that enforce would not. `blocked`: no connection at all. */
export type Expected = 'allowed' | 'refused' | 'noted' | 'blocked'

/** One question for the evidence of a tenant: asked from its pod, by the proxy or straight. */
export type Sample = {
  kind: string
  method: string
  url: string
  by: 'proxy' | 'direct'
  expected: Expected
  why: string
  /** Said as it stands here, with this Host, which no usual client would do. */
  raw?: { host: string }
}

export type SampleOptions = {
  policy: Policy
  /** Each of the tenant's, as pods reach it. */
  proxies: { address: string; port: number }[]
  /** Our own ranges, CIDRs: nothing inside is to be reached by the proxy. */
  inner: readonly string[]
  /** URLs that answer anybody, and one that no list has. */
  echo: readonly string[]
  forbidden: string
}

/** Of long lists, so many entries are asked for. */
const most = 5

/**
 * What is asked for the evidence of one tenant, in the classes of the attack set: some of what its policy allows and
 * denies, and what nobody may reach whatever the policy says. The same policy gives the same list.
 */
export const samplesOf = ({ policy, proxies, inner, echo, forbidden }: SampleOptions): Sample[] => {
  const standing = policy.rules.filter(it => !isOver(it))
  const allowed = spread(standing.filter(it => it.effect === 'allow'))
  const denied = spread(standing.filter(it => it.effect === 'deny'))
  // Names can be made look alike, addresses cannot: `not-203.0.113.9` is no URL.
  const named = standing.find(it => it.effect === 'allow' && !isIP(it.name))
  const listed = named && bare(named.name)
  const byPolicy = (kind: string, url: string): Sample[] => {
    const { verdict, why } = decide(policy, requestOf(url))
    const expected = ({ allowed: 'allowed', denied: 'refused', would_deny: 'noted' } as const)[verdict]
    return [{ kind, method: 'GET', url, by: 'proxy', expected, why }]
  }
  const never = (kind: string, why: string, ...urls: string[]): Sample[] =>
    urls.map(url => ({ kind, method: 'GET', url, by: 'proxy', expected: 'refused', why }))
  return [
    ...allowed.flatMap(it => byPolicy('an entry of the policy', urlOf(it))),
    ...denied.flatMap(it => byPolicy('a denial of the policy', urlOf(it))),
    ...byPolicy('a name that is on no list', forbidden),
    ...(listed
      ? [
          ...byPolicy('a name that ends like an allowed one', `https://not-${listed}/`),
          ...byPolicy('a name that begins like an allowed one', `https://${listed}.not-listed.example/`),
          ...byPolicy('another port of an allowed name', `https://${listed}:22/`),
          ...byPolicy('another port of an allowed name', `http://${listed}:25/`),
          { ...never('an odd method', 'the proxy takes no TRACE', `http://${listed}/`)[0]!, method: 'TRACE' },
        ]
      : []),
    ...never('metadata of the cloud', 'link-local, where a cloud tells machines their secrets', ...metadata),
    ...never('private addresses', 'private ranges', ...new Set([...privately, ...inner.flatMap(insideOf)])),
    ...never('loopback', "the proxy's own host", 'http://127.0.0.1/', 'http://[::1]/', 'https://127.0.0.1:22/'),
    ...never('addresses in addresses', 'IPv6 forms of inner IPv4 addresses', ...embedded),
    ...rawly(listed ?? 'listed.example'),
    ...proxies.flatMap(({ address, port }) =>
      never(
        'the proxy itself',
        'nothing of the proxy is for its clients',
        ...ownOf(`${address}:${port}`),
        `http://${address}:22/`,
      ),
    ),
    ...[...echo, 'http://169.254.42.42/conf'].map(
      (url): Sample => ({
        ...{ kind: 'past the proxy', method: 'GET', url, by: 'direct', expected: 'blocked' },
        why: 'a pod has no way out but the proxy',
      }),
    ),
  ]
}

const metadata = [
  'http://169.254.42.42/conf',
  'http://169.254.169.254/latest/meta-data/',
  'http://[fd00:42::42]/conf',
  'http://[fd00:ec2::254]/latest/meta-data/',
]
const privately = [
  'http://10.0.0.1/',
  'http://172.16.0.1/',
  'http://192.168.0.1/',
  'http://100.64.0.1/',
  'https://10.0.0.1/',
]
const embedded = ['http://[::ffff:169.254.169.254]/', 'http://[64:ff9b::a9fe:a9fe]/', 'http://[2002:a9fe:a9fe::1]/']

/** What clients put right before they say it: other spellings, a Host that lies, what no browser knows. */
const rawly = (listed: string): Sample[] => {
  const say = (method: string, url: string, why: string): Sample => ({
    ...{ kind: 'raw bytes', method, url, by: 'proxy', expected: 'refused', why, raw: { host: listed } },
  })
  return [
    ...['0xa9fea9fe', '2852039166', '0251.0376.0251.0376', '[::ffff:a9fe:a9fe]', '0x7f.1', '169.254.169.254'].map(it =>
      say('GET', `http://${it}/`, 'an inner address in another spelling, and an allowed name as Host'),
    ),
    say('CONNECT', '127.0.0.1:22', 'a tunnel to the proxy, and an allowed name as Host'),
    say('CONNECT', '2130706433:443', 'a tunnel to the proxy, its address as one number'),
    say('GET', `ftp://${listed}/`, 'plain HTTP is for http:// alone'),
    say('BREW', `http://${listed}/`, 'no method of ours'),
    say('get', `http://${listed}/`, 'methods are in capitals'),
    say('GET', `http://user:pass@${listed}/`, 'a login in a URL'),
    say('GET', `http://${listed}/squid-internal-mgr/info`, 'the manager, by an allowed name'),
    say('GET', 'cache_object://localhost/info', 'the manager, by its old scheme'),
  ]
}

const ownOf = (authority: string) => [
  `http://${authority}/`,
  `https://${authority}/`,
  `http://${authority}/squid-internal-mgr/info`,
]

/** The first address of a range. */
const insideOf = (cidr: string): string[] => {
  const parts = /^(\d+\.\d+\.\d+)\.(\d+)\//.exec(cidr)
  return parts ? [`http://${parts[1]}.${Number(parts[2]) + 1}/`] : []
}

/** At most `most` of them, from the whole list. */
const spread = <T>(all: T[]): T[] =>
  all.length <= most ? all : Array.from({ length: most }, (_, n) => all[Math.floor((n * all.length) / most)]!)

const bare = (name: string) => name.replace(/^\./, '')

/** A tunnel where the entry has ports for one, else plain HTTP. */
const urlOf = ({ name, connect, http }: Rule): string => {
  const host = name.includes(':') ? `[${name}]` : bare(name)
  const tunnel = connect === '*' || connect.length > 0
  const ports = tunnel ? connect : http
  const usual = tunnel ? 443 : 80
  const port = ports === '*' || ports.includes(usual) ? usual : ports[0]!
  return `${tunnel ? 'https' : 'http'}://${host}${port === usual ? '' : `:${port}`}/`
}

const requestOf = (url: string) => {
  const { protocol, hostname, port } = new URL(url)
  const tunnel = protocol === 'https:'
  const kind: Protocol = tunnel ? 'connect' : 'http'
  return {
    ...{ method: tunnel ? 'CONNECT' : 'GET', protocol: kind, scheme: tunnel ? '' : 'http', host: hostname },
    port: Number(port) || (tunnel ? 443 : 80),
  }
}
