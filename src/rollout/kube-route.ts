import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { Agent, type Dispatcher, ProxyAgent } from 'undici'
import type { Credentials } from './kube-login.ts'
import type { Access } from './kubeconfig.ts'

/** Connections to one API server: as whom they are made is part of TLS, so each identity has its own. */
export type Routes = {
  by(identity: Pick<Credentials, 'cert' | 'key'>): Dispatcher
  close(): Promise<void>
}

export const createRoutes = ({ tls, proxy }: Pick<Access, 'tls' | 'proxy'>): Routes => {
  const made = new Map<string, Dispatcher>()
  // Deadlines are ours, for each call: the agent's own would cut quiet watches.
  const patience = { headersTimeout: 0, bodyTimeout: 0 }
  return {
    by(identity) {
      const key = identity.cert ?? ''
      const known = made.get(key)
      if (known) return known
      const to = { ...tls, ...identity }
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

/** The same way for a WebSocket: Node's own agent asks the proxy for a tunnel. */
export const tunnelBy = (proxy: string, server: string): HttpAgent =>
  server.startsWith('https:')
    ? new HttpsAgent({ proxyEnv: { HTTPS_PROXY: proxy } })
    : new HttpAgent({ proxyEnv: { HTTP_PROXY: proxy } })
