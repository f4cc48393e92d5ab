import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clusters, Machines } from '../../src/sandbox/ports.ts'
import { createScaleway as createEmulator } from '../../src/sandbox/scaleway/api.ts'
import { createScaleway, type ScalewayOptions } from '../../src/scaleway/client.ts'
import type { CloudInit, ServerClients } from '../../src/scaleway/cloud-init.ts'
import { createPace } from '../../src/scaleway/pace.ts'

export const credentials = {
  accessKey: 'SCWAAAAAAAAAAAAAAAAA',
  secretKey: '11111111-2222-4333-8444-555555555555',
  projectId: '99999999-2222-4333-8444-555555555555',
  organizationId: '88888888-2222-4333-8444-555555555555',
}

/** As fast as it goes: the emulator refuses nobody unless it is told to. */
export const unpaced = createPace({ perSecond: 10_000, atOnce: 64 })

const done = () => Promise.resolve()
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `203.0.113.${from + i}`)

/** Machines and clusters that do nothing, for who looks at the API alone. */
export const machines: Machines = {
  networkUp: done,
  networkDown: done,
  gatewayUp: done,
  gatewayDown: done,
  serverUp: done,
  serverOff: done,
  serverDelete: done,
  nodeUp: done,
  nodeDown: done,
  internet: { cidr: '203.0.113.0/24', gatewayPool: range(10, 99), instancePool: range(100, 199), dns: '203.0.113.2' },
}
export const clusters: Clusters = {
  create: done,
  delete: done,
  addNode: done,
  updateNode: done,
  removeNode: done,
  kubeconfig: (id, contextName) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': contextName,
      clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:6443/${id}` } }],
      users: [{ name: 'u', user: { token: 'very-secret-token' } }],
    }),
}

type Key = { private: string; public: string }
const mark = '\n# host key\n'

/** The smallest user data that can be rendered, read back and masked. */
const cloudInit: CloudInit<Key> = {
  render: (want, key) => `#cloud-config\n${JSON.stringify(want)}${mark}${key.private}${mark}${key.public}`,
  newHostKey: () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    return {
      private: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      public: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    }
  },
  publicKeyOf: text => text.split(mark)[2] ?? null,
  withoutKeys: text => text.split(mark)[0] ?? '',
}

/** Where a context is, and its further zones. */
export type Place = { region?: string; zone?: string; zones?: string[] }

export type Emulated = {
  url: string
  /** What goes wrong in it. */
  conditions: ReturnType<typeof createEmulator>['conditions']
  trace: ReturnType<typeof createEmulator>['trace']
  clients(context?: string, http?: ScalewayOptions['http'], place?: Place): Promise<ServerClients>
  close(): Promise<void>
}

/** A project of its own, faster than life. */
export const emulated = async (scale = 0.002): Promise<Emulated> => {
  const api = createEmulator({ machines, clusters, clock: { scale }, credentials, onChange: () => undefined })
  const server = createServer((request, response) => api.handle(request, response))
  await new Promise<void>(ready => server.listen(0, '127.0.0.1', ready))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    conditions: api.conditions,
    trace: api.trace,
    async clients(context = 'sandbox', http = {}, { region = 'fr-par', zone = `${region}-1`, zones = [] } = {}) {
      const profile = { ...credentials, apiUrl: url, region, zone }
      const quick = { baseMs: 10, capMs: 50, pace: unpaced, ...http }
      return Object.assign(await createScaleway(profile, { context, http: quick, zones }), {
        cloudInit: cloudInit as CloudInit,
      })
    },
    async close() {
      await api.close()
      server.closeAllConnections()
      await new Promise(closed => server.close(closed))
    },
  }
}
