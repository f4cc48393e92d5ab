import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { type createConnection, isIP } from 'node:net'
import { type ConnectionOptions, connect, createSecureContext, type SecureContext } from 'node:tls'
import { Agent, type Dispatcher, ProxyAgent } from 'undici'
import type { Access } from './kubeconfig.ts'
import type { Credentials } from './login.ts'

type Identity = Pick<Credentials, 'cert' | 'key'>

/** Connections to one API server: as whom they are made is part of TLS, so each identity has its own. */
export type Routes = {
  by(identity: Identity): Dispatcher
  close(): Promise<void>
}

export const createRoutes = (access: Pick<Access, 'tls' | 'proxy'>): Routes => {
  const { proxy } = access
  const made = new Map<string, Dispatcher>()
  // Deadlines are ours, for each call: the agent's own would cut quiet watches.
  const patience = { headersTimeout: 0, bodyTimeout: 0 }
  return {
    by(identity) {
      const key = identity.cert ?? ''
      const known = made.get(key)
      if (known) return known
      const to = tlsAs(access, identity)
      const agent =
        proxy === undefined
          ? new Agent({ ...patience, connect: { ...to, timeout: 10_000 } })
          : new ProxyAgent({ ...patience, uri: proxy, requestTls: { ...to, timeout: 10_000 }, proxyTunnel: true })
      made.set(key, agent)
      return agent
    },
    async close() {
      await Promise.all([...made.values()].map(it => it.destroy()))
    },
  }
}

const sessions = new WeakMap<SecureContext, Buffer>()

/** For a WebSocket, which always has a connection of its own: the handshake of the one before is taken up. */
export const resumed = (access: Pick<Access, 'tls'>, identity: Identity) => ({
  createConnection: ((options: ConnectionOptions) => {
    const { secureContext, ...rest } = tlsAs(access, identity)
    const { host = '' } = options
    const session = sessions.get(secureContext)
    const servername = rest.servername ?? (isIP(host) ? '' : host)
    // Its path is that of the URL; tls would take it for a socket of this machine.
    const { path: _, ...to } = options
    const socket = connect({ ...to, ...rest, secureContext, servername, ...(session && { session }) })
    return socket.on('session', it => sessions.set(secureContext, it))
  }) as unknown as typeof createConnection,
})

const contexts = new WeakMap<object, Map<string, SecureContext>>()

/** How to make a TLS connection; the certificates are read once, for each reading takes a megabyte. */
export const tlsAs = ({ tls }: Pick<Access, 'tls'>, { cert, key }: Identity) => {
  const known = contexts.get(tls) ?? new Map<string, SecureContext>()
  contexts.set(tls, known)
  const { ca, ...rest } = tls
  const identity = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
  const secureContext = known.get(cert ?? '') ?? createSecureContext(identity)
  known.set(cert ?? '', secureContext)
  return { ...rest, secureContext }
}

/** The same way for a WebSocket: Node's own agent asks the proxy for a tunnel. */
export const tunnelBy = (proxy: string, server: string): HttpAgent =>
  server.startsWith('https:')
    ? new HttpsAgent({ proxyEnv: { HTTPS_PROXY: proxy } })
    : new HttpAgent({ proxyEnv: { HTTP_PROXY: proxy } })
