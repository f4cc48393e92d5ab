import { BlockList, isIPv4 } from 'node:net'
import { chooseContext, contentOf, wrongIn } from './kubeconfig-file.ts'
import { type Login, loginOf } from './login.ts'

/** One context of a kubeconfig, ready to connect with. */
export type Access = {
  server: string
  tls: { ca?: string; rejectUnauthorized: boolean; servername?: string }
  /** An http or https proxy on the way, as `proxy-url` or the environment names it. */
  proxy?: string
  login: Login
}

/** `context`: absent, the current one. `onSecret` hears what must never be shown. */
export type KubeconfigOptions = {
  context?: string | undefined
  env?: NodeJS.ProcessEnv
  onSecret?: ((secret: string) => void) | undefined
}

/** Reads one context (default: the current one); which way the API is reached and as whom, as kubectl has it. */
export const readKubeconfig = async (
  path: string,
  { context, env = process.env, onSecret }: KubeconfigOptions = {},
): Promise<Access> => {
  const wrong = wrongIn(path)
  const { cluster, user, userName } = await chooseContext(path, context)
  const { data } = cluster
  const server = String(data.server).replace(/\/+$/, '')
  if (!URL.canParse(server) || !/^https?:/.test(server)) throw wrong('its server is not an http or https URL')
  const ca = await contentOf(cluster, 'certificate-authority', wrong)
  const proxy = data['proxy-url'] ? String(data['proxy-url']) : proxyFor(new URL(server), env)
  if (proxy !== undefined && !(URL.canParse(proxy) && /^https?:$/.test(new URL(proxy).protocol)))
    throw wrong('its proxy-url is not an http or https URL', 'use an http proxy, or a tunnel of your own (ssh -L)')
  const name = data['tls-server-name']
  const said = {
    server,
    ...(ca && { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
    ...Object.fromEntries(
      ['tls-server-name', 'insecure-skip-tls-verify', 'proxy-url'].flatMap(it => (data[it] ? [[it, data[it]]] : [])),
    ),
  }
  return {
    server,
    tls: {
      rejectUnauthorized: data['insecure-skip-tls-verify'] !== true,
      ...(ca && { ca }),
      ...(typeof name === 'string' && { servername: name }),
    },
    ...(proxy !== undefined && { proxy }),
    login: loginOf(user, { name: userName, cluster: said, wrong, onSecret }),
  }
}

/** HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in either case; an API on loopback needs none. */
export const proxyFor = ({ protocol, hostname, port }: URL, env: NodeJS.ProcessEnv): string | undefined => {
  const said = (name: string) => env[name.toLowerCase()] || env[name] || undefined
  const proxy = said(protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY')
  const host = hostname.replace(/^\[|\]$/g, '')
  if (!proxy || host === 'localhost' || host === '::1' || host.startsWith('127.')) return undefined
  const past = (said('NO_PROXY') ?? '').split(/[\s,]+/).some(entry => isIn(entry.toLowerCase(), host, port))
  return past ? undefined : /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`
}

const isIn = (entry: string, host: string, port: string): boolean => {
  if (entry === '*') return true
  const [, name = '', at] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? []
  if (name === '' || (at !== undefined && at !== (port || '443'))) return false
  const [range = '', bits] = entry.split('/')
  if (bits !== undefined && isIPv4(range) && isIPv4(host)) {
    const ranges = new BlockList()
    ranges.addSubnet(range, Number(bits))
    return ranges.check(host)
  }
  const bare = name.replace(/^\*?\./, '')
  return host === bare || host.endsWith(`.${bare}`)
}
