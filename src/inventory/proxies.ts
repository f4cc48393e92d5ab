import type { Path } from './document.ts'
import type { Say } from './say.ts'
import type { TenantFile } from './schema-tenant.ts'
import type { Parts } from './validate.ts'

export type ProxyFile = NonNullable<TenantFile['egress']['proxy']>

/** The proxies of a tenant as they are written, each with its place: one as `proxy`, or several as `proxies`. */
export const proxiesAt = ({ egress }: Parts<TenantFile>): { path: Path; proxy: Parts<ProxyFile> }[] => [
  ...(egress?.proxy ? [{ path: ['egress', 'proxy'], proxy: egress.proxy }] : []),
  ...(egress?.proxies ?? []).flatMap((proxy, at) => (proxy ? [{ path: ['egress', 'proxies', at], proxy }] : [])),
]

/** One of the two words, not both and not neither. What is wrong by its schema is there, and told elsewhere. */
export const checkProxies = ({ egress }: Parts<TenantFile>, say: Say): void => {
  if (!egress || egress.via === 'gateway-pod') return
  if (!('proxy' in egress) && !('proxies' in egress))
    say(['egress', 'proxy'], 'egress.proxy is missing', 'pods need a way out', 'add it, or several as egress.proxies')
  if (egress.proxy && egress.proxies)
    say(
      ['egress', 'proxies'],
      'egress says both proxy and proxies',
      'pods reach one by its address, several through a Service',
      'write them all under proxies',
    )
  const [first, ...others] = (egress.proxies ?? []).map(it => it?.port ?? usual)
  for (const [at, port] of others.entries())
    if (port !== first)
      say(
        ['egress', 'proxies', at + 1, 'port'],
        `port ${port} is not that of the first proxy`,
        'one Service stands before them, with one port',
        `write ${first} for all`,
      )
}

const usual = 3128
