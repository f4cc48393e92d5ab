import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Account, Block, Iam, Instance, Ipam, K8s, Marketplace, Vpc, Vpcgw } from '@scaleway/sdk'
import { createAdvancedClient, withProfile } from '@scaleway/sdk-client'
import type { Clusters, Machines } from '../../../src/sandbox/ports.ts'
import { createScaleway, type ScalewayState } from '../../../src/sandbox/scaleway/api.ts'

export const credentials = {
  accessKey: 'SCWXXXXXXXXXXXXXXXXX',
  secretKey: '11111111-1111-4111-8111-111111111111',
  projectId: '22222222-2222-4222-8222-222222222222',
  organizationId: '33333333-3333-4333-8333-333333333333',
}

export type Call = { name: string; argument: unknown }

/** Ports that write down what they are told; `failing` makes one of them refuse. */
export const recorder = () => {
  const calls: Call[] = []
  const failing = new Map<string, string>()
  const told =
    (name: string) =>
    async (...args: unknown[]) => {
      calls.push({ name, argument: structuredClone(args.length > 1 ? args : args[0]) })
      await sleep(1)
      const reason = failing.get(name)
      if (reason) throw new Error(reason)
    }
  const pool = (first: number, last: number) =>
    Array.from({ length: last - first + 1 }, (_, index) => `203.0.113.${first + index}`)
  const names = ['networkUp', 'networkDown', 'gatewayUp', 'gatewayDown', 'serverUp', 'serverOff', 'serverDelete']
  const verbs = Object.fromEntries([...names, 'nodeUp', 'nodeDown'].map(name => [name, told(name)]))
  const machines = {
    ...verbs,
    internet: { cidr: '203.0.113.0/24', gatewayPool: pool(10, 99), instancePool: pool(100, 199), dns: '203.0.113.1' },
  } as unknown as Machines
  const clusters = {
    create: told('create'),
    delete: told('delete'),
    addNode: told('addNode'),
    updateNode: told('updateNode'),
    removeNode: told('removeNode'),
    kubeconfig: (id: string, context: string) => `current-context: ${context}\nserver: ${id}\n  token: secret\n`,
  } as Clusters
  const of = <T = Record<string, never>>(name: string) =>
    calls.filter(it => it.name === name).map(it => it.argument as T)
  return { machines, clusters, calls, failing, of }
}

type Options = { scale?: number; saved?: ScalewayState; world?: ReturnType<typeof recorder>; asOf?: string | undefined }

/** An emulated project on a free port of the loopback, and the official SDK in front of it. */
export const openProject = async ({ scale = 0.005, saved, world = recorder(), asOf }: Options = {}) => {
  const said: string[] = []
  let changes = 0
  const scaleway = createScaleway({
    ...{ machines: world.machines, clusters: world.clusters, credentials, clock: { scale } },
    ...(saved ? { saved } : {}),
    ...(asOf ? { asOf } : {}),
    onChange: () => changes++,
    say: what => said.push(what),
  })
  const server = createServer((request, response) => scaleway.handle(request, response))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = createAdvancedClient(
    withProfile({
      ...{ apiURL: url, accessKey: credentials.accessKey, secretKey: credentials.secretKey },
      ...{ defaultProjectId: credentials.projectId, defaultOrganizationId: credentials.organizationId },
      ...{ defaultRegion: 'fr-par', defaultZone: 'fr-par-1' },
    }),
  )
  const raw = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { 'x-auth-token': credentials.secretKey, ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const json = text && response.headers.get('content-type') === 'application/json' ? JSON.parse(text) : undefined
    return { status: response.status, headers: response.headers, text, json }
  }
  return {
    ...{ scaleway, world, url, client, raw, said },
    changes: () => changes,
    vpc: new Vpc.v2.API(client),
    ipam: new Ipam.v1.API(client),
    gateways: new Vpcgw.v2.API(client),
    instance: new Instance.v1.API(client),
    block: new Block.v1.API(client),
    k8s: new K8s.v1.API(client),
    marketplace: new Marketplace.v2.API(client),
    iam: new Iam.v1alpha1.API(client),
    projects: new Account.v3.ProjectAPI(client),
    async close() {
      await scaleway.close()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

export type Project = Awaited<ReturnType<typeof openProject>>

/** Looks until it holds; at most half a minute. */
export const until = async <T>(look: () => Promise<T>, holds: (it: T) => boolean): Promise<T> => {
  for (const end = Date.now() + 30_000; ; ) {
    const seen = await look()
    if (holds(seen)) return seen
    if (Date.now() > end) throw new Error(`never came: last seen ${JSON.stringify(seen)}`)
    await sleep(5)
  }
}

/** Looks until it is a 404. */
export const untilGone = (look: () => Promise<unknown>) =>
  until(
    () =>
      look().then(
        () => 'there',
        error => (error.status === 404 ? 'gone' : `${error}`),
      ),
    it => it === 'gone',
  )

/** What a promise was refused with. */
export const refusal = async (work: Promise<unknown>): Promise<{ status: number; body: Record<string, unknown> }> => {
  try {
    await work
  } catch (thrown) {
    const { status, body } = thrown as { status?: number; body?: Record<string, unknown> }
    if (status === undefined) throw thrown
    return { status, body: body ?? {} }
  }
  throw new Error('was not refused')
}
