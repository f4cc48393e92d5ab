import { createHash } from 'node:crypto'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { site } from '../../playbooks/site.ts'
import { Problem } from '../../src/engine/problem.ts'
import { loadContext } from '../../src/inventory/load.ts'
import { gatewayLabels, policyName } from '../../src/rollout/gateway-pod/manifests.ts'
import { gatewayPolicyKind } from '../../src/rollout/gateway-pod/policy.ts'
import { forbidden } from '../../src/rollout/guard.ts'
import { idOf, type KubeObject } from '../../src/rollout/kube/object.ts'
import { namespace } from '../../src/rollout/manifests.ts'
import { neededRights } from '../../src/rollout/preflight/rights.ts'
import { changed, cleanUp } from '../inventory/edited.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { report, startCluster } from './cluster.ts'

const { test, before, after } = suite('pods as a way out', { seconds: 60 })
let cluster: Awaited<ReturnType<typeof startCluster>>
before(async () => {
  cluster = await startCluster()
  await cluster.kube.apply(namespace('egress-system'))
})
after(async () => {
  await cluster.close()
  cleanUp()
})

const planned = async (more = '') => {
  const root = changed({
    'tenants/client-a.yaml': [
      ['via: proxy-vm', `via: gateway-pod${more}`],
      [/ {2}proxy: .*\n/, ''],
    ],
  })
  return site(await loadContext('sandbox', { root, env: {} }), { operatorKey: 'k', kubeconfig: join(root, 'k') })
}
type Manifest = { object: KubeObject }
const objectsOf = async (more = '') => {
  const { phases } = await planned(more)
  const wants = phases[0]!.desired.map(it => it.want as unknown as Partial<Manifest>)
  return wants.flatMap(it => (it.object?.metadata.namespace === 'egress-system' ? [it.object] : []))
}
const named = (objects: KubeObject[], kind: string) => objects.find(it => it.kind === kind)!

test('a Deployment on the pool that a restricted namespace takes, and nothing that is forbidden', async () => {
  const objects = await objectsOf()
  for (const it of objects) assert.equal(forbidden(it), [], it.kind)
  const { spec } = named(objects, 'Deployment') as unknown as {
    spec: { replicas: number; strategy: object; template: { spec: Record<string, unknown> } }
  }
  const pod = spec.template.spec
  assert.equal(spec.strategy, { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } })
  assert.equal(pod.nodeSelector, { 'node-pool': 'client-a-pool' })
  assert.is(pod.hostNetwork, undefined)
  assert.is(pod.automountServiceAccountToken, false)
  const [squid] = pod.containers as { securityContext: object; resources: { limits: object } }[]
  assert.equal(squid!.securityContext, {
    ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
  })
  assert.ok((pod.securityContext as { runAsNonRoot: boolean }).runAsNonRoot)
  assert.equal(squid!.resources.limits, { memory: '512Mi' })
})

test('only the tenant comes in, and nothing inside is reached but names', async () => {
  const { spec } = named(await objectsOf(), 'NetworkPolicy') as unknown as {
    spec: { ingress: { from: unknown[] }[]; egress: { to: { ipBlock: { cidr: string; except: string[] } }[] }[] }
  }
  assert.equal(
    spec.ingress.flatMap(it => it.from),
    [
      {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'client-a-demo' } },
        podSelector: { matchLabels: { egress: 'external' } },
      },
    ],
  )
  const { cidr, except } = spec.egress[1]!.to[0]!.ipBlock
  assert.is(cidr, '0.0.0.0/0')
  for (const it of ['10.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '127.0.0.0/8'])
    assert.ok(except.includes(it), it)
})

test('what Squid is started with is named by what is in it, so pods and a rollback keep theirs', async () => {
  const mounted = (all: KubeObject[]) => {
    const { spec } = named(all, 'Deployment') as unknown as {
      spec: { template: { spec: { volumes: { configMap?: { name: string } }[] } } }
    }
    return spec.template.spec.volumes[0]!.configMap!.name
  }
  const [one, same, other] = [await objectsOf(), await objectsOf(), await objectsOf('\n  gateway: { port: 8080 }')]
  const { metadata, immutable, data } = named(one, 'ConfigMap') as KubeObject & { data: Record<string, string> }
  assert.is(metadata.name, mounted(one))
  assert.is(immutable, true)
  assert.match(data['squid.conf']!, /^http_port 3128 /m)
  assert.match(data['squid.conf']!, /^pid_filename none$/m)
  assert.is(mounted(same), mounted(one))
  assert.is.not(mounted(other), mounted(one))
})

test('rights in the namespace of the pods are asked for, and only where there are such', () => {
  const of = (gateway: boolean) => neededRights(['Deployment'], { service: false, certificates: false, gateway })
  assert.equal(
    of(false).flatMap(it => it.namespace ?? []),
    [],
  )
  const elsewhere = of(true).filter(it => it.namespace === 'egress-system')
  assert.ok(elsewhere.some(it => it.resource === 'deployments' && it.verbs.includes('delete')))
  assert.ok(elsewhere.some(it => it.resource === 'pods' && it.verbs.includes('patch')))
  assert.ok(elsewhere.every(it => it.level === 'stop'))
})

test('several tenants have one each, and none of a host', async () => {
  const { stages, ids } = await planned()
  assert.equal(ids.gateways, [{ name: 'egress-client-a', tenant: 'client-a' }])
  assert.equal(
    stages.proxy.map(it => it.id).filter(it => it.includes('client-a')),
    [],
  )
  assert.ok(stages.cluster.some(it => it.id === 'kube-object/namespace egress-system'))
})

test('the partner is told the address of the Public Gateway', async () => {
  const root = changed({
    'tenants/client-a.yaml': [
      ['via: proxy-vm', 'via: gateway-pod'],
      [/ {2}proxy: .*\n/, ''],
      ['rollout:\n', 'rollout:\n  externalAllowlist: { provider: crunchybridge, network: n }\n'],
    ],
  })
  const { phases, ids } = site(await loadContext('sandbox', { root, env: {} }), { operatorKey: 'k', kubeconfig: 'k' })
  const addition = phases[0]!.desired.find(it => it.kind.name === 'allowlist-addition')!
  const { addresses } = addition.want as unknown as { addresses: unknown[] }
  assert.equal(addresses, [{ $ref: ids.gatewayIp, path: 'address' }])
})

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8)
const text = (name: string) =>
  `kapsule-egress-policy\t1\ntenant\tclient-a\nmode\tenforce\nallow\t${name}\t443\t80\t*\t-\tallow:${name}\nend\t1\n`
const wantOf = (text: string) => ({
  ...{ kubeconfig: cluster.kubeconfig, namespace: 'egress-system', name: policyName('client-a'), tenant: 'client-a' },
  ...{ labels: gatewayLabels('client-a'), text },
})
const read = (want: ReturnType<typeof wantOf>) => gatewayPolicyKind.read(want, cluster.clients, report())
const apply = async (want: ReturnType<typeof wantOf>) => {
  const before = await read(want)
  return { before, now: await gatewayPolicyKind.apply(want, cluster.clients, before, report()) }
}
const keys = async () => {
  const id = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'egress-system', name: policyName('client-a') }
  const found = await cluster.kube.get<KubeObject & { data: Record<string, string> }>(id)
  return found && Object.keys(found.data)
}

test('a policy is the only key of its ConfigMap, counted on, and undone to the one before', async () => {
  const [first, second] = [wantOf(text('a.example')), wantOf(text('b.example'))]
  assert.is(gatewayPolicyKind.diff(first, await read(first))?.action, 'create')
  const made = await apply(first)
  assert.is(gatewayPolicyKind.diff(first, await read(first)), null)
  const change = gatewayPolicyKind.diff(second, await read(second))
  assert.match(change!.details![0]!.diff!, /- allow a\.example.*\n\+ allow b\.example/)
  const turned = await apply(second)
  assert.equal(await keys(), [`${turned.now.revision}.policy`])
  assert.match(turned.now.revision!, /^2-/)
  // Done again after its power was cut, it is the same one.
  assert.is((await apply(second)).now.revision, turned.now.revision)
  for (let twice = 0; twice < 2; twice++) {
    await gatewayPolicyKind.undo!(second, cluster.clients, turned.before, turned.now, report())
    assert.equal(await keys(), [`${made.now.revision}.policy`])
  }
  for (let twice = 0; twice < 2; twice++) {
    await gatewayPolicyKind.undo!(first, cluster.clients, null, made.now, report())
    assert.is(await keys(), null)
  }
})

test('it is done when every pod decides by it, and one that refuses it ends the wait', async () => {
  const labels = gatewayLabels('client-a')
  const pod: KubeObject = {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { name: 'g-1', namespace: 'egress-system', labels },
    spec: {
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'squid', image: 'x', securityContext: {} }],
    },
  }
  await cluster.kube.create(pod)
  const ready = async () => {
    const found = await cluster.kube.get<{ status?: { conditions?: { type: string; status: string }[] } }>(idOf(pod))
    return found?.status?.conditions?.some(it => it.type === 'Ready' && it.status === 'True')
  }
  assert.ok(await until(async () => (await ready()) === true, 30))
  let looks = 0
  const want = wantOf(text('c.example'))
  const hash = hashOf(want.text)
  cluster.pods.commands.run = () => ({ code: 0, stdout: ++looks < 3 ? 'loaded -\n' : `loaded 1-${hash}\n` })
  assert.is((await apply(want)).now.revision, `1-${hash}`)
  assert.is(looks, 3)
  const annotated = await cluster.kube.get<KubeObject>(idOf(pod))
  assert.is(annotated!.metadata.annotations?.['kapsule-egress/policy'], `1-${hash}`)
  const other = { ...wantOf(text('d.example')) }
  const wrong = hashOf(other.text)
  cluster.pods.commands.run = () => ({ code: 0, stdout: `loaded 1-${hash}\nrefused 2-${wrong} line 3: no mode\n` })
  const thrown = await apply(other).catch(it => it)
  assert.instance(thrown, Problem)
  assert.match((thrown as Problem).why, /line 3: no mode/)
  await cluster.kube.delete(idOf(pod), { graceSeconds: 0 })
})

test('a policy that no ConfigMap takes is told before anything is changed', () => {
  const want = wantOf('x'.repeat(1_000_001))
  assert.throws(
    () => gatewayPolicyKind.diff(want, null),
    (it: Problem) => it.exit === 2 && /too large/.test(it.message),
  )
})
