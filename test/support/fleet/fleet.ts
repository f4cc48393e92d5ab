import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Json } from '../../../src/engine/json.ts'
import { createHttp } from '../../../src/rollout/kube/http.ts'
import { createKubes, type Kube } from '../../../src/rollout/kube/kube.ts'
import { readKubeconfig } from '../../../src/rollout/kube/kubeconfig.ts'
import type { KubeObject } from '../../../src/rollout/kube/object.ts'
import { demoWorkload } from '../../../src/rollout/manifests.ts'
import { createClusters } from '../../../src/sandbox/kubernetes/clusters.ts'
import type { PodSpec } from '../../../src/sandbox/ports.ts'
import { until } from '../until.ts'
import { nameOf, poolOf, tenantsOf, type Wanted, writeInventory } from './inventory.ts'
import { type Astray, type LetsIn, paperStreet, street } from './street.ts'

/** Where a fleet is: another process finds all of it from `root`. */
export type Fleet = {
  root: string
  kubeconfig: string
  /** What the proxy has written. */
  log: string
  /** What runs in its pods. */
  running(): PodSpec[]
  /** What its partner lets in; absent: there is none. */
  letIn?: () => string[]
  /** A client of its own, which no fault and no power cut of a run concerns. */
  kube: Kube
  /** Opens the emulator's back door: `GET calls`, `PUT conditions`. */
  door(method: 'GET' | 'PUT' | 'DELETE' | 'POST', path: string, body?: object): Promise<unknown>
  close(): Promise<void>
}

/** `paperMs`: its pods are on nodes of paper, and get ready in so many ms; absent: they are on record. */
type Pods = { replicas?: number; paperMs?: number; isAstray?: Astray; letsIn?: LetsIn }

/** Deployments of `replicas` pods each, ready, in an emulated cluster; nothing of ours is there yet. */
export const startFleet = async (wanted: Wanted, { replicas = 1, paperMs, ...odd }: Pods = {}): Promise<Fleet> => {
  const root = mkdtempSync(join(tmpdir(), 'fleet-'))
  const log = join(root, 'access.log')
  const kubeconfig = join(root, 'kubeconfig')
  const pace = { poll: 10, calm: 500 }
  const pods = paperMs === undefined ? street(log, odd) : paperStreet(log)
  const clusters = await createClusters({ pods, directory: join(root, 'cluster'), onChange() {}, pace })
  const id = '11111111-1111-4111-8111-111111111111'
  const ranges = { podCidr: '100.64.0.0/15', serviceCidr: '10.32.0.0/20', dnsIp: '10.32.0.10' }
  await clusters.create({ id, name: 'shared', version: '1.34.1', ...ranges })
  const tenants = tenantsOf(wanted)
  if (paperMs === undefined)
    for (const [at, it] of tenants.entries())
      await clusters.addNode(id, {
        ...{ name: `node-${at + 1}`, address: `172.16.28.${20 + at}`, taints: [] },
        labels: { 'node-pool': poolOf(it) },
      })
  writeFileSync(kubeconfig, clusters.kubeconfig(id, 'admin@shared'), { mode: 0o600 })
  writeFileSync(join(root, 'id_ed25519.pub'), `ssh-ed25519 ${'A'.repeat(68)} operator`)
  writeInventory(root, kubeconfig, wanted)
  const kubes = createKubes()
  const kube = kubes(kubeconfig)
  for (const name of tenants) await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  if (paperMs !== undefined)
    await layNodes(kube, { paperMs, pods: wanted.workloads * replicas, labels: { 'node-pool': poolOf(tenants[0]!) } })
  for (const tenant of tenants)
    for (let at = 0; at < wanted.workloads; at++)
      await kube.create(workload(tenant, nameOf(at), replicas), { manager: 'shop-team' })
  await settled(kube, tenants.length * wanted.workloads)
  return {
    ...{ root, kubeconfig, log, kube },
    running: () => [...pods.running.values()],
    door: (method, path, body) => openDoor(kubeconfig, method, path, body),
    async close() {
      await kubes.close()
      await clusters.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

/** The emulator's back door. The client of the product has no need for PUT. */
export const openDoor = async (kubeconfig: string, method: string, path: string, body?: object): Promise<unknown> => {
  const http = createHttp(await readKubeconfig(kubeconfig))
  const call = { method: method as 'POST', path: `/emulator/${path}`, doing: path }
  return http.json({ ...call, ...(body && { body: body as Json }) }).finally(http.close)
}

/** Room for twice as many, for a rollout has old pods and new ones. */
const layNodes = async (kube: Kube, { paperMs, pods, labels }: { paperMs: number; pods: number; labels: object }) => {
  for (let at = 0; at < (2 * pods) / 240 + 1; at++) {
    const metadata = { name: `paper-${at}`, labels, annotations: { 'emulator/paper': `${paperMs}` } }
    await kube.create({ apiVersion: 'v1', kind: 'Node', metadata } as KubeObject)
  }
}

const workload = (tenant: string, name: string, replicas: number): KubeObject =>
  demoWorkload({ tenant, namespace: tenant, name, pool: poolOf(tenant), replicas })

type Deployment = KubeObject & { spec: { replicas: number }; status?: { readyReplicas?: number; replicas?: number } }

/** Every Deployment has the pods that it wants, and no others. */
export const settled = async (kube: Kube, workloads: number): Promise<void> => {
  const isSo = await until(async () => {
    const { items } = await kube.list<Deployment>({ apiVersion: 'apps/v1', kind: 'Deployment' })
    const isWhole = ({ spec, status }: Deployment) =>
      status?.readyReplicas === spec.replicas && status.replicas === spec.replicas
    return items.length === workloads && items.every(isWhole)
  }, 600)
  if (!isSo) throw new Error('the workloads of the fleet did not get ready')
}
