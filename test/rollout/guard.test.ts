import * as assert from 'uvu/assert'
import type { Report } from '../../src/engine/kind.ts'
import { Problem, Problems } from '../../src/engine/problem.ts'
import { forbidden, refuseForbidden } from '../../src/rollout/guard.ts'
import { manifestKind } from '../../src/rollout/manifest.ts'
import { demoWorkload, egressPolicy, namespace, proxyConfigMap } from '../../src/rollout/manifests.ts'
import { noProxy, proxyEnv } from '../../src/rollout/no-proxy.ts'
import type { KubeObject } from '../../src/rollout/object.ts'
import { probePodFor } from '../../src/rollout/probe-pod.ts'
import { healthLoop, proxyService, proxySlice } from '../../src/rollout/proxy-service.ts'
import type { Pod } from '../../src/rollout/workload.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('rollout/guard')

const ground = { inside: ['100.64.0.0/15', '10.32.0.0/20'], proxies: ['172.16.28.8', 'egress-proxy'] }
const container = { name: 'app', image: 'app:1' }
const ours = { 'app.kubernetes.io/managed-by': 'kapsule-egress' }

type Loose = Record<string, unknown>
type Parts = { spec?: Loose; kind?: string; labels?: Loose; own?: Loose; namespace?: string; of?: Loose }

/** A workload of a tenant; `of`: what its one container has besides. */
const workload = ({ spec = {}, kind = 'Deployment', labels = {}, own = {}, namespace = 'shop', of = {} }: Parts) => {
  const template = { metadata: { labels }, spec: { containers: [{ ...container, ...of }], ...spec } }
  const metadata = { name: 'api', namespace, labels: own }
  if (kind === 'Pod') return { apiVersion: 'v1', kind, ...template, metadata: { ...metadata, labels } } as KubeObject
  const placed = kind === 'CronJob' ? { jobTemplate: { spec: { template } } } : { template }
  return { apiVersion: 'apps/v1', kind, metadata, spec: placed } as KubeObject
}
const env = (values: Record<string, string>) => Object.entries(values).map(([name, value]) => ({ name, value }))
const capable = (...add: string[]) => ({ of: { securityContext: { capabilities: { add } } } })
const moved = { egress: 'external' }
const proxy = 'http://172.16.28.8:3128'
const hostPath = (readOnly?: boolean) => ({
  spec: { volumes: [{ name: 'node', hostPath: { path: '/etc' } }] },
  of: { volumeMounts: [{ name: 'node', mountPath: '/node', ...(readOnly !== undefined && { readOnly }) }] },
})
const map = (text: string) => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'squid', namespace: 'shop' } },
  data: { 'squid.conf': text },
})
const reach = noProxy({ services: '10.32.0.0/20', pods: '100.64.0.0/15', private: ['172.16.28.0/22'] })

const table: { when: string; object: KubeObject; says: string[] }[] = [
  { when: 'an ordinary workload', object: workload({}), says: [] },
  {
    when: 'one that moved',
    object: workload({ labels: moved, of: { env: proxyEnv({ address: '172.16.28.8', port: 3128 }, reach) } }),
    says: [],
  },
  {
    when: 'host network, moved',
    object: workload({ spec: { hostNetwork: true }, labels: moved }),
    says: ['hostNetwork is true'],
  },
  {
    when: 'a pod of it',
    object: workload({ kind: 'Pod', spec: { hostNetwork: true }, labels: moved }),
    says: ['hostNetwork is true'],
  },
  {
    when: 'a CronJob of it',
    object: workload({ kind: 'CronJob', spec: { hostNetwork: true }, labels: moved }),
    says: ['hostNetwork is true'],
  },
  {
    when: 'host network, ours',
    object: workload({ spec: { hostNetwork: true }, own: ours }),
    says: ['hostNetwork is true'],
  },
  {
    when: 'host network in our own namespace',
    object: workload({ spec: { hostNetwork: true }, namespace: 'egress-system' }),
    says: ['hostNetwork is true'],
  },
  { when: 'host network that nobody sends anything by', object: workload({ spec: { hostNetwork: true } }), says: [] },
  { when: 'a DaemonSet of a tenant', object: workload({ kind: 'DaemonSet', labels: moved }), says: [] },
  { when: 'a DaemonSet of ours', object: workload({ kind: 'DaemonSet', own: ours }), says: ['every node at once'] },
  {
    when: 'a DaemonSet in our own namespace',
    object: workload({ kind: 'DaemonSet', namespace: 'egress-system' }),
    says: ['every node at once'],
  },
  {
    when: 'privileged',
    object: workload({ of: { securityContext: { privileged: true } } }),
    says: ['container app is privileged'],
  },
  {
    when: 'privileged where few look',
    object: workload({ spec: { initContainers: [{ name: 'set-up', securityContext: { privileged: true } }] } }),
    says: ['container set-up is privileged'],
  },
  {
    when: 'a debugger that was put into a pod',
    object: workload({ kind: 'Pod', spec: { ephemeralContainers: [{ name: 'debug', ...capable('NET_ADMIN').of }] } }),
    says: ['container debug adds the capability NET_ADMIN'],
  },
  { when: 'every capability', object: workload(capable('ALL')), says: ['adds the capability ALL'] },
  { when: 'a spelling that runtimes take too', object: workload(capable('CAP_NET_ADMIN')), says: ['CAP_NET_ADMIN'] },
  { when: 'harmless capabilities', object: workload(capable('NET_BIND_SERVICE', 'CHOWN')), says: [] },
  { when: 'a path of the node that is written', object: workload(hostPath()), says: ['may write to /etc of its node'] },
  { when: 'the same, said', object: workload(hostPath(false)), says: ['may write to /etc of its node'] },
  { when: 'a path of the node that is read', object: workload(hostPath(true)), says: [] },
  {
    when: 'a proxy without NO_PROXY',
    object: workload({ of: { env: env({ HTTPS_PROXY: proxy }) } }),
    says: ['asks the proxy for .svc, .cluster.local, 100.64.0.0/15, 10.32.0.0/20'],
  },
  {
    when: 'a proxy by its Service, one range left out',
    object: workload({
      of: { env: env({ http_proxy: 'http://egress-proxy:3128', NO_PROXY: 'svc,cluster.local,100.64.0.0/15' }) },
    }),
    says: ['asks the proxy for 10.32.0.0/20'],
  },
  {
    when: 'wider ranges, other spellings',
    object: workload({
      of: { env: env({ http_proxy: proxy, no_proxy: '*.svc, cluster.local ,10.0.0.0/8,100.0.0.0/8' }) },
    }),
    says: [],
  },
  {
    when: 'no proxy for anybody',
    object: workload({ of: { env: env({ http_proxy: proxy, no_proxy: '*' }) } }),
    says: [],
  },
  {
    when: 'two spellings that differ',
    object: workload({ of: { env: env({ http_proxy: proxy, NO_PROXY: reach.join(','), no_proxy: 'localhost' }) } }),
    says: ['asks the proxy for .svc'],
  },
  {
    when: 'a proxy of somebody else',
    object: workload({ of: { env: env({ http_proxy: 'http://other:8080' }) } }),
    says: [],
  },
  {
    when: 'NO_PROXY from elsewhere, which is not seen',
    object: workload({
      of: {
        env: [
          ...env({ http_proxy: proxy }),
          { name: 'NO_PROXY', valueFrom: { configMapKeyRef: { name: 'x', key: 'y' } } },
        ],
      },
    }),
    says: [],
  },
  {
    when: 'an open proxy',
    object: map('http_port 3128\n  http_access  allow all # for now\n'),
    says: ['squid.conf says http_access allow all'],
  },
  { when: 'an open proxy in one line', object: map('http_access allow all'), says: ['http_access allow all'] },
  {
    when: 'a closed one',
    object: map('# http_access allow all\nhttp_access allow allowed\nhttp_access deny all\n'),
    says: [],
  },
  {
    when: 'all of it at once',
    object: workload({
      spec: { hostNetwork: true },
      own: ours,
      kind: 'DaemonSet',
      of: { securityContext: { privileged: true } },
    }),
    says: ['hostNetwork is true', 'every node at once', 'is privileged'],
  },
]
for (const { when, object, says } of table)
  test(when, () => {
    const found = forbidden(object, ground)
    assert.is(found.length, says.length, JSON.stringify(found))
    for (const [at, it] of says.entries()) assert.ok(found[at]!.why.includes(it), found[at]!.why)
  })

test('without a ground, names alone are asked for, of any proxy', () => {
  const named = env({ http_proxy: 'http://other:8080', no_proxy: '.svc,.cluster.local' })
  assert.equal(forbidden(workload({ of: { env: named } })), [])
  assert.is(forbidden(workload({ of: { env: named.slice(0, 1) } })).length, 1)
})

test('nothing of ours is forbidden', () => {
  const at = { namespace: 'shop' }
  const loop = { tenant: 'a', namespace: 'shop', pool: 'a', addresses: ['172.16.28.8'], port: 3128, ask: 'http://x/' }
  const { rights, deployment } = healthLoop(loop)
  const pod = workload({
    kind: 'Pod',
    labels: moved,
    of: { env: proxyEnv({ address: '172.16.28.8', port: 3128 }, reach) },
  })
  const all = [
    namespace('shop'),
    proxyConfigMap(at, { address: '172.16.28.8', port: 3128 }),
    egressPolicy(at, [{ address: '172.16.28.8', port: 3128 }], { pods: '', services: '', dnsIp: '' }),
    demoWorkload({ tenant: 'a', namespace: 'shop', name: 'web', pool: 'a' }),
    proxyService('shop', 3128),
    proxySlice('shop', ['172.16.28.8'], 3128),
    ...rights,
    deployment,
    probePodFor(pod as unknown as Pod, { run: 'r', image: 'curl:1' }),
  ]
  for (const it of all) assert.equal(forbidden(it, ground), [], it.kind)
})

test('what is forbidden is refused before it is sent, everything at once and with what to do', async () => {
  const object = workload({ kind: 'DaemonSet', own: ours, spec: { hostNetwork: true } })
  const want = { kubeconfig: 'nowhere', object }
  const said = (thrown: unknown) => thrown instanceof Problems && thrown.all.map(it => it.message).join('\n')
  const both =
    "DaemonSet shop/api: its node's network for egress is forbidden\nDaemonSet shop/api: a DaemonSet for egress is forbidden"
  const kube = () => assert.unreachable('it was sent') as never
  assert.throws(
    () => manifestKind.diff(want, null),
    (thrown: unknown) => said(thrown) === both,
  )
  try {
    await manifestKind.apply(want, { kube }, null, {} as Report)
    assert.unreachable()
  } catch (thrown) {
    assert.is(said(thrown), both)
  }
  assert.throws(
    () => refuseForbidden(workload({ labels: moved, spec: { hostNetwork: true } })),
    (thrown: unknown) => thrown instanceof Problem && thrown.next.includes('hostNetwork: false'),
  )
})
