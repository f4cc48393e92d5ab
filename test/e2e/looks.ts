import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import * as assert from 'uvu/assert'
import { createKube } from '../../src/rollout/kube/kube.ts'
import type { KubeObject } from '../../src/rollout/kube/object.ts'
import { createScaleway } from '../../src/scaleway/client.ts'
import { listOwned } from '../../src/scaleway/leftovers.ts'
import { readProfile } from '../../src/scaleway/profile.ts'
import type { makeCheckout, Ran } from '../support/checkout.ts'

export type Summary = {
  status: string
  changes: { create: number; update: number; delete: number; unchanged: number }
  outputs: Record<string, string> & { proxies: Record<string, { public_ip: string; private_ip: string }> }
}
export const summaryOf = ({ events }: Ran) => events.at(-1) as unknown as Summary
export const ok = (it: Ran, code = 0) =>
  assert.is(it.code, code, `${it.stdout.slice(-2000)}\n${it.stderr.slice(-3000)}`)

export const namespaces = ['client-a-demo', 'client-b-demo']

/** What a checkout's sandbox has: on the machine, in its cluster, in its cloud. */
export const looksAt = (checkout: ReturnType<typeof makeCheckout>) => {
  const kube = () => createKube({ kubeconfig: join(checkout.state, 'kubeconfig') })

  /** What stands of this sandbox outside its folder; others may run beside it. */
  const traces = async (prefix: string) => {
    const { stdout: links } = await execa('ip', ['-br', 'link'])
    const { stdout: spaces } = await execa('ip', ['netns', 'list'])
    const mounts = readFileSync('/proc/mounts', 'utf8').split('\n')
    const processes = await execa('ps', ['-eo', 'args'])
    return [
      ...[...links.split('\n'), ...spaces.split('\n')].filter(it => it.startsWith(prefix)),
      ...[...mounts, ...processes.stdout.split('\n')].filter(it => it.includes(`${checkout.directory}/`)),
    ]
  }

  /** Everything in the tenants' namespaces, without what changes by itself. */
  const objects = async () => {
    const cluster = kube()
    const kinds = [
      { apiVersion: 'apps/v1', kind: 'Deployment' },
      { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
      { apiVersion: 'v1', kind: 'ConfigMap' },
    ]
    const lists = await Promise.all(
      namespaces.flatMap(namespace =>
        kinds.map(it =>
          cluster
            .list<KubeObject>({ ...it, namespace })
            .then(({ items }) => items.map(item => ({ ...item, kind: it.kind }))),
        ),
      ),
    )
    await cluster.close()
    return lists.flat().map(({ kind, metadata, spec, ...rest }) => ({
      kind,
      name: `${metadata.namespace}/${metadata.name}`,
      labels: metadata.labels ?? {},
      owners: (metadata.managedFields ?? []).filter(it => it.manager === 'kapsule-egress').map(it => it.operation),
      spec: spec ?? null,
      data: (rest as KubeObject).data ?? null,
    }))
  }

  const pods = async (namespace: string) => {
    const { stdout } = await checkout.start('sandbox.mjs', ['status', '--json'])
    const { hosts } = JSON.parse(stdout) as { hosts: { name: string; kind: string }[] }
    return hosts.flatMap(it => (it.kind === 'pod' && it.name.startsWith(`${namespace}/`) ? [it.name] : []))
  }

  const inPod = async (namespace: string, command: string) => {
    const [pod] = await pods(namespace)
    return checkout.start('sandbox.mjs', ['exec', pod!, '--', 'sh', '-c', command])
  }

  const cloud = async () => {
    const config = join(checkout.directory, '.egress/.sandbox/scw.yaml')
    return createScaleway(await readProfile({ config, env: {} }), { context: 'sandbox' })
  }

  /** What the context has at Scaleway, as kind and name. */
  const owned = async () =>
    (await listOwned(await cloud())).map(it => `${it.kind} ${it.name === it.id ? '' : it.name}`).sort()

  const trace = async () => {
    const { stdout } = await checkout.start('sandbox.mjs', ['status', '--json'])
    const { scaleway } = JSON.parse(stdout) as { scaleway: { url: string } }
    return `${scaleway.url}/emulator/trace`
  }

  /** What the cloud was asked since `forgetCalls`. */
  const calls = async () => (await (await fetch(await trace())).json()) as { method: string; path: string }[]
  const forgetCalls = async () => void (await fetch(await trace(), { method: 'DELETE' }))

  return { kube, traces, objects, inPod, cloud, owned, calls, forgetCalls }
}
