import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { cloudInitOfHosts } from '../../src/cli/clients.ts'
import type { ScalewayOptions as EmulatorOptions } from '../../src/sandbox/scaleway/api.ts'
import { createScaleway as createEmulator } from '../../src/sandbox/scaleway/api.ts'
import { createScaleway, type ScalewayOptions } from '../../src/scaleway/client.ts'
import type { ServerClients } from '../../src/scaleway/cloud-init.ts'
import { createPace } from '../../src/scaleway/pace.ts'
import { credentials, clusters as idle, machines } from '../scaleway/emulated.ts'
import type { Timed } from './chains.ts'

const range = (third: number) => Array.from({ length: 250 }, (_, at) => `198.18.${third}.${at + 2}`)

/** Room for hundreds of tenants. */
const internet = {
  ...{ cidr: '198.18.0.0/16', dns: '198.18.0.1' },
  ...{ gatewayPool: range(0), instancePool: [...range(1), ...range(2)] },
}

/** An emulated project over HTTP, in this process. */
export const openCloud = async (clock: NonNullable<EmulatorOptions['clock']>, clusters = idle) => {
  const api = createEmulator({ machines: { ...machines, internet }, clusters, clock, credentials })
  const server = createServer((request, response) => api.handle(request, response))
  await new Promise<void>(ready => server.listen(0, '127.0.0.1', ready))
  return {
    api,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      await api.close()
      server.closeAllConnections()
      await new Promise(closed => server.close(closed))
    },
  }
}

/** Until nothing is under way in the cloud any more. */
export const settled = async (api: Pick<ReturnType<typeof createEmulator>, 'state'>): Promise<void> => {
  for (let looks = 0; looks < 200 && Object.keys(api.state().transitions).length > 0; looks++) await sleep(10)
}

/** For what is not measured. */
export const unhurried = () => createPace({ perSecond: 10_000, atOnce: 256 })

/** The product's clients, as the commands make them: at the pace of a process that has just begun. */
export const connect = async (
  apiUrl: string,
  context: string,
  http: ScalewayOptions['http'] = {},
  projectId = credentials.projectId,
): Promise<ServerClients> => {
  const pace = http.pace ?? createPace()
  const profile = { ...credentials, projectId, apiUrl, region: 'fr-par', zone: 'fr-par-1' }
  return { ...(await createScaleway(profile, { context, http: { ...http, pace } })), cloudInit: cloudInitOfHosts }
}

/** A fetch that takes `latencyMs` longer, and tells when each call began and ended as its caller saw it. */
export const traced = (latencyMs = 0, note: (call: Timed) => void = () => {}) => {
  const calls: Timed[] = []
  const send: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    const call: Timed = {
      method: request.method,
      path: new URL(request.url).pathname,
      startMs: performance.now(),
      endMs: Number.POSITIVE_INFINITY,
    }
    calls.push(call)
    note(call)
    try {
      if (latencyMs > 0) await sleep(latencyMs)
      return await fetch(request)
    } finally {
      call.endMs = performance.now()
    }
  }
  return { send, calls }
}
