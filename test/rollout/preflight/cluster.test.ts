import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { parse, stringify } from 'yaml'
import type { Json } from '../../../src/engine/json.ts'
import { createHttp } from '../../../src/rollout/kube/http.ts'
import { createKube, type Kube } from '../../../src/rollout/kube/kube.ts'
import { readKubeconfig } from '../../../src/rollout/kube/kubeconfig.ts'
import type { KubeObject } from '../../../src/rollout/kube/object.ts'
import { KubeProblem } from '../../../src/rollout/kube/problem.ts'
import { EGRESS_LABEL } from '../../../src/rollout/manifests.ts'
import { judge } from '../../../src/rollout/preflight/checks.ts'
import { look, type Plan } from '../../../src/rollout/preflight/look.ts'
import type { Workload, WorkloadRef } from '../../../src/rollout/workload.ts'
import { kindOf } from '../../../src/rollout/workloads/read.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../../support/until.ts'
import { startCluster } from '../cluster.ts'
import { env, wishes } from './sights.ts'

const { test, before, after } = suite('rollout/preflight, in a cluster')

const namespace = 'shop'
let cluster: Awaited<ReturnType<typeof startCluster>>

const make = (apiVersion: string, kind: string, name: string, more: object, manager = 'owner') =>
  cluster.kube.create({ apiVersion, kind, metadata: { name, namespace }, ...more } as KubeObject, { manager })

const workload = (
  kind: WorkloadRef['kind'],
  name: string,
  { spec = {}, pod = {}, container = {}, metadata = {} } = {},
) => {
  const template = {
    metadata: { labels: { app: name } },
    spec: { tolerations: [{ operator: 'Exists' }], containers: [{ name: 'c', image: 'i', ...container }], ...pod },
  }
  const of = { metadata: { name, namespace, ...metadata }, spec: { replicas: 1, selector: { matchLabels: { app: name } }, template, ...spec } } // biome-ignore format: one
  return make(kindOf({ kind }).apiVersion, kind, name, of)
}

const healthy = async (name: string) => {
  const id = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name }
  const isSo = async () => ((await cluster.kube.get<Workload>(id))?.status?.availableReplicas ?? 0) > 0
  assert.ok(await until(isSo, 60), `${name} is available`)
}

const plan = (...moves: WorkloadRef[]): Plan => ({
  namespace,
  moves: moves.map(it => ({
    want: { kubeconfig: '', namespace, ...it, label: EGRESS_LABEL, env, containers: 'all' },
    phase: 'canary',
  })),
  inside: ['100.64.0.0/15', '10.32.0.0/20'],
  makes: { service: false, certificates: false },
  wishes,
})

const told = async (kube: Kube, ...moves: WorkloadRef[]) =>
  judge((await look(kube, [plan(...moves)], 'curlimages/curl')).map(sight => ({ sight, accept: [] }))).map(
    it => `${it.level} ${it.check} ${it.workload}: ${it.what}`,
  )

const kinds = ['Deployment', 'StatefulSet'].map(kind => ['apps/v1', kind]).concat([['v1', 'Pod'], ['networking.k8s.io/v1', 'NetworkPolicy']]) // biome-ignore format: one
const everything = async () => {
  const lists = await Promise.all(kinds.map(([apiVersion = '', kind = '']) => cluster.kube.list<KubeObject>({ apiVersion, kind, namespace }))) // biome-ignore format: one
  return lists.flatMap(it => it.items.map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.uid} ${metadata.generation}`)).sort() // biome-ignore format: one
}

before(async () => {
  cluster = await startCluster()
  await cluster.kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  await workload('Deployment', 'web')
  await healthy('web')
})
after(() => cluster?.close())

const deployment = (name: string): WorkloadRef => ({ kind: 'Deployment', name })

test('a workload that nothing is against: nothing is told, and nothing is changed', async () => {
  const was = await everything()
  assert.equal(await told(cluster.kube, deployment('web')), [])
  assert.equal(await everything(), was)
})

test('all that is in the way is told at once, and nothing is changed', async () => {
  await workload('Deployment', 'recreated', { spec: { strategy: { type: 'Recreate' } }, metadata: { labels: { 'app.kubernetes.io/managed-by': 'Helm' } } }) // biome-ignore format: one
  await workload('Deployment', 'paused', { spec: { paused: true } })
  await workload('Deployment', 'proxied', { container: { env: [{ name: 'HTTP_PROXY', value: 'http://old:3128' }] } })
  await workload('StatefulSet', 'none', { spec: { replicas: 0, serviceName: 'none' } })
  for (const it of ['recreated', 'proxied']) await healthy(it)
  await make('policy/v1', 'PodDisruptionBudget', 'one', { spec: { minAvailable: 1, selector: { matchLabels: { app: 'recreated' } } } }) // biome-ignore format: one
  await make('networking.k8s.io/v1', 'NetworkPolicy', 'open', { spec: { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Egress'], egress: [{}] } }) // biome-ignore format: one
  const was = await everything()
  const moves = ['web', 'recreated', 'paused', 'proxied', 'gone'].map(deployment)
  assert.equal(await told(cluster.kube, ...moves, { kind: 'StatefulSet', name: 'none' }), [
    'stop baseline shop/gone: it is not there',
    'stop standstill shop/paused: its rollout is paused',
    'stop standstill shop/statefulset/none: it has no pods',
    'stop outage shop/recreated: moving it is an outage',
    'stop budget shop/recreated: moving it goes below PodDisruptionBudget one',
    'stop policies shop/web: NetworkPolicy open lets it past the proxy',
    'stop variables shop/proxied: it has another proxy',
    "stop ownership shop/recreated: it belongs to Helm's release (unnamed)",
  ])
  const accepting = (await look(cluster.kube, [plan(deployment('proxied'))], 'i')).map(sight => ({
    sight,
    accept: ['variables'],
  }))
  const stops = judge(accepting).flatMap(it => (it.level === 'stop' ? [it.check] : []))
  assert.equal(stops, ['variables'], 'accepted, and refused all the same: its owner holds them')
  assert.equal(await everything(), was)
})

test('policies of the network plugin, where the cluster has such', async () => {
  assert.ok((await cluster.kube.served()).includes('apps/v1'))
  const spec = { endpointSelector: { matchLabels: { 'any:app': 'web' } }, egress: [{ toEntities: ['world'] }] }
  const theirs = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name: 'open', namespace },
    spec,
  }
  const kube = {
    ...cluster.kube,
    served: async () => [...(await cluster.kube.served()), 'cilium.io/v2'],
    list: async (what: Parameters<Kube['list']>[0]) =>
      what.kind === theirs.kind ? { items: [theirs], resourceVersion: '' } : cluster.kube.list(what),
  } as Kube
  await workload('Deployment', 'web2')
  await healthy('web2')
  assert.equal(await told(kube, deployment('web2')), [])
  assert.ok(
    (await told(kube, deployment('web'))).includes(
      'stop policies shop/web: CiliumNetworkPolicy open lets it past the proxy',
    ),
  )
})

test('what webhooks of the cluster make of it', async () => {
  const make = cluster.kube
  const hush = (object: KubeObject) =>
    JSON.parse(JSON.stringify(object).replaceAll('http://172.16.28.8:3128', 'http://me:hush@other'))
  const strange = (change: (pod: KubeObject) => KubeObject): Kube => ({
    ...make,
    create: async (object, options) => {
      const answer = await make.create(object, options)
      return object.kind === 'Pod' && options?.dryRun && object.metadata.name.endsWith('preflight')
        ? change(answer)
        : answer
    },
  })
  const web = deployment('web2')
  const mesh = strange(({ spec, ...pod }) => {
    const { containers, ...rest } = spec as { containers: Json[] }
    return { ...pod, spec: { ...rest, containers: [...containers, { name: 'mesh', image: 'm' }] } }
  })
  assert.equal(await told(mesh, web), ['note conflicts shop/web2: a webhook adds containers to its pods: mesh'])
  const bare = strange(({ metadata: { labels: _, ...metadata }, ...pod }) => ({ ...pod, metadata }))
  assert.equal(await told(bare, web), ['stop conflicts shop/web2: a webhook changes its new pods'])
  const applied = { ...make, apply: async (...asked: Parameters<Kube['apply']>) => hush(await make.apply(...asked)) }
  const found = judge((await look(applied, [plan(web)], 'curl')).map(sight => ({ sight, accept: [] })))
  assert.equal(
    found.map(it => it.why),
    [
      'not as they were sent: spec.template.spec.containers[c].env[HTTP_PROXY].value, spec.template.spec.containers[c].env[http_proxy].value',
    ],
  )
  const failing = {
    ...make,
    apply: () => Promise.reject(new KubeProblem('apply', 'failed calling webhook "w": no', 'x', 500)),
  }
  assert.equal(await told(failing, web), ['stop conflicts shop/web2: the cluster would refuse the change'])
})

test('a quota and a node that are full', async () => {
  const container = { resources: { requests: { cpu: '600m', memory: '1Mi' } } }
  for (const name of ['big', 'large']) await workload('Deployment', name, { container })
  for (const name of ['big', 'large']) await healthy(name)
  const hard = { 'requests.cpu': '1500m' }
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', namespace, name: 'cores' }
  await make('v1', 'ResourceQuota', 'cores', { spec: { hard } })
  const isCounted = async () =>
    (await cluster.kube.get<{ status?: { used?: object } }>(quota))?.status?.used !== undefined
  assert.ok(await until(isCounted, 60), 'the quota counts')
  const of = (it: string) => told(cluster.kube, deployment(it))
  assert.equal(await of('big'), ['stop quota shop/big: ResourceQuota cores has no room for the pods that come first'])
  await cluster.kube.delete(quota)
  // 2 cores: two pods of 600m are there, and another one fits.
  assert.equal(await of('big'), [])
  assert.equal(await told(cluster.kube, deployment('big'), deployment('large')), [
    'stop room shop/large: no node has room for the pod that comes first',
  ])
})

test('what the cluster itself would refuse: the change, and pods of the new template', async () => {
  const policies = 'admissionregistration.k8s.io/v1'
  const refuse = async (name: string, resource: [group: string, plural: string], expression: string) => {
    const rule = { apiGroups: [resource[0]], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: [resource[1]] } // biome-ignore format: one
    const spec = { matchConstraints: { resourceRules: [rule] }, validations: [{ expression, message: `${name} says no` }] } // biome-ignore format: one
    await cluster.kube.create({ apiVersion: policies, kind: 'ValidatingAdmissionPolicy', metadata: { name }, spec })
    const bound = { policyName: name, validationActions: ['Deny'] }
    await cluster.kube.create({ apiVersion: policies, kind: 'ValidatingAdmissionPolicyBinding', metadata: { name }, spec: bound }) // biome-ignore format: one
    return async () => {
      await cluster.kube.delete({ apiVersion: policies, kind: 'ValidatingAdmissionPolicyBinding', name })
      await cluster.kube.delete({ apiVersion: policies, kind: 'ValidatingAdmissionPolicy', name })
    }
  }
  await workload('Deployment', 'plain')
  await healthy('plain')
  for (const { on, expression, says } of [
    {
      on: ['', 'pods'],
      expression: "!has(object.metadata.labels) || !('egress' in object.metadata.labels)",
      says: 'new pods',
    },
    {
      on: ['apps', 'deployments'],
      expression: "!('egress' in object.spec.template.metadata.labels)",
      says: 'the change',
    },
  ] as { on: [string, string]; expression: string; says: string }[]) {
    // biome-ignore format: a table
    const off = await refuse('guardian', on, expression)
    const [first, ...more] = await told(cluster.kube, deployment('plain'))
    assert.match(first ?? '', `stop conflicts shop/plain: the cluster would refuse ${says === 'new pods' ? 'its new pods' : says}`) // biome-ignore format: one
    assert.equal(more, [])
    await off()
  }
  assert.equal(await told(cluster.kube, deployment('plain')), [])
})

test('each right that a user lacks is told, and what it may not read is said', async () => {
  const rbac = 'rbac.authorization.k8s.io'
  await make('v1', 'ServiceAccount', 'half', {})
  const rules = [
    { apiGroups: ['apps'], resources: ['deployments', 'replicasets'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
  ]
  await make(`${rbac}/v1`, 'Role', 'half', { rules })
  const roleRef = { apiGroup: rbac, kind: 'Role', name: 'half' }
  await make(`${rbac}/v1`, 'RoleBinding', 'half', { roleRef, subjects: [{ kind: 'ServiceAccount', name: 'half' }] })
  const http = createHttp(await readKubeconfig(cluster.kubeconfig))
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/half/token`
  const answer = await http.json({ method: 'POST', path, doing: 'ask for a token', body: { spec: {} } })
  await http.close()
  const config = parse(await readFile(cluster.kubeconfig, 'utf8')) as { users: { user: object }[] }
  config.users[0]!.user = { token: (answer as { status: { token: string } }).status.token }
  const kubeconfig = join(dirname(cluster.kubeconfig), 'half')
  await writeFile(kubeconfig, stringify(config), { mode: 0o600 })
  const kube = createKube({ kubeconfig })
  try {
    assert.equal(await told(kube, deployment('plain')), [
      'stop rights egress-system: may not get, create, patch leases',
      'stop rights the cluster: may not get namespaces',
      'stop rights default: may not get services',
      'stop rights default: may not list endpointslices',
      'stop rights shop: may not patch deployments',
      'stop rights shop: may not get pods/exec',
      'stop rights shop: may not create, delete pods',
      'stop rights shop: may not get, create, patch, delete configmaps',
      'stop rights shop: may not get, create, patch, delete networkpolicies',
      'note rights shop: may not create pods/exec',
      'note rights shop: may not get pods/log',
      'note rights shop: may not patch pods',
      ...['Service', 'NetworkPolicy', 'PodDisruptionBudget', 'ResourceQuota', 'StatefulSet', 'DaemonSet'].map(
        it => `note rights shop: ${it} objects were not looked at`,
      ),
      ...['Node', 'Pod'].map(it => `note rights shop: ${it} (of the cluster) objects were not looked at`),
    ])
  } finally {
    await kube.close()
  }
})

test('an image without curl is told, and whether a pod may stand in', async () => {
  cluster.pods.commands.run = () => ({ code: 127 })
  assert.equal(await told(cluster.kube, deployment('plain')), [
    'note tools shop/plain: its image has no curl for the gates',
  ])
  cluster.pods.commands.run = () => ({ code: 0 })
})

// Fewer faults than a call has tries.
test('in bad weather it says the same', async () => {
  const http = createHttp(await readKubeconfig(cluster.kubeconfig))
  const weather = (body: object) =>
    http.json({ method: 'PUT' as 'POST', path: '/emulator/conditions', doing: 'weather', body: body as Json })
  const moves = ['plain', 'web', 'gone'].map(deployment)
  const was = await told(cluster.kube, ...moves)
  assert.is(was.length, 2)
  try {
    await weather({
      seed: 7,
      faults: [
        { chance: 0.5, times: 2, do: { status: 503 } },
        { chance: 0.5, times: 1, do: { cut: 'after' } },
      ],
    })
    assert.equal(await told(cluster.kube, ...moves), was)
  } finally {
    await http.json({ method: 'DELETE', path: '/emulator/conditions', doing: 'weather' })
    await http.close()
  }
})

test('forty workloads: each list is asked for once', async () => {
  const names = Array.from({ length: 40 }, (_, n) => `many-${n}`)
  for (const name of names) await workload('Deployment', name, { spec: { replicas: 0 } })
  const asked: string[] = []
  const list: Kube['list'] = what => {
    asked.push(what.kind)
    return cluster.kube.list(what)
  }
  await told({ ...cluster.kube, list }, ...names.map(deployment))
  assert.is(new Set(asked).size, asked.length, asked.join(', '))
})
