import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { Agent, fetch } from 'undici'
import type { ClustersState } from '../../../src/sandbox/kubernetes/clusters.ts'
import { createClusters } from '../../../src/sandbox/kubernetes/clusters.ts'
import type { Loose } from '../../../src/sandbox/kubernetes/objects/object.ts'
import { findKubectl } from '../../support/kubectl.ts'
import { fakePods } from './fake-pods.ts'

export const id = 'cluster-1'
const spec = {
  id,
  name: 'shared',
  version: '1.32.4',
  podCidr: '10.100.0.0/16',
  serviceCidr: '10.96.0.0/20',
  dnsIp: '10.96.0.10',
}

/** A cluster with two nodes over fake machines, a client that speaks HTTP to it, and kubectl. */
export const createWorld = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kube-'))
  const fake = fakePods()
  const open = (saved?: ClustersState) =>
    createClusters({ pods: fake.pods, directory, saved, onChange() {}, pace: { poll: 10, calm: 20, backoff: 50 } })
  let clusters = await open()
  await clusters.create(spec)
  await clusters.addNode(id, { name: 'node-1', address: '172.16.28.20/22', labels: { pool: 'a' }, taints: [] })
  await clusters.addNode(id, {
    name: 'node-2',
    address: '172.16.28.21/22',
    labels: { pool: 'b' },
    taints: [{ key: 'own', value: 'b', effect: 'NoSchedule' }],
  })
  const config = join(directory, 'kubeconfig')
  await writeFile(config, clusters.kubeconfig(id, 'test'), { mode: 0o600 })
  const agent = new Agent({ connect: { rejectUnauthorized: false } })
  const state = () => clusters.state().clusters[0]!

  const call = async (method: string, path: string, body?: Loose, headers: Record<string, string> = {}) => {
    const response = await fetch(`https://127.0.0.1:${state().port}${path}`, {
      method,
      dispatcher: agent,
      headers: {
        authorization: `Bearer ${state().token}`,
        'content-type': 'application/json',
        'user-agent': 'tester/1',
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { code: response.status, body: parsed(text) }
  }

  return {
    fake,
    agent,
    call,
    state,
    get clusters() {
      return clusters
    },
    apply: (path: string, body: Loose, manager: string, force = false) =>
      call('PATCH', `${path}?fieldManager=${manager}&force=${force}`, body, {
        'content-type': 'application/apply-patch+yaml',
      }),
    patch: (path: string, type: string, body: Loose) =>
      call('PATCH', path, body, { 'content-type': `application/${type}` }),
    kubectl: (line: string[] | string, input = '') =>
      execa(
        findKubectl().path ?? 'kubectl',
        ['--kubeconfig', config, ...(typeof line === 'string' ? line.split(' ') : line)],
        {
          input,
          reject: false,
          env: { HOME: directory },
        },
      ),
    config,
    /** Closes everything and opens it again from what was saved, as after a restart of the machine's process. */
    async restart() {
      const saved = JSON.parse(JSON.stringify(clusters.state()))
      await clusters.close()
      clusters = await open(saved)
      await clusters.reconcile()
    },
    async close() {
      await agent.close()
      await clusters.close()
      await rm(directory, { recursive: true })
    },
  }
}

/** JSON where it is some; the lines of a watch, or plain text, as they came. */
const parsed = (text: string): Loose => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export type World = Awaited<ReturnType<typeof createWorld>>

/** Looks every few ms until the answer is not undefined, false or null; throws after that many seconds. */
export const eventually = async <T>(
  look: () => T | Promise<T>,
  what: string,
  seconds = 60,
): Promise<NonNullable<T>> => {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(10)) {
    const found = await look()
    if (found) return found as NonNullable<T>
  }
  throw new Error(`${what}: not within ${seconds} s`)
}

export const deployment = (name: string, replicas = 2, more: Loose = {}): Loose => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'main', image: 'demo:1', command: ['sleep', '1d'] }], ...more },
    },
  },
})
