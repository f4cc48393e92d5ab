import * as assert from 'uvu/assert'
import { type KubeObject, pathOf } from '../../src/rollout/kube/object.ts'
import { demoWorkload, egressPolicy, namespace, proxyConfigMap } from '../../src/rollout/manifests.ts'
import { noProxy, proxyEnv } from '../../src/rollout/no-proxy.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('rollout/manifests')

const proxy = { address: '172.16.28.8', port: 3128 }
const ranges = { pods: '100.64.0.0/15', services: '10.32.0.0/20', dnsIp: '10.32.0.10' }
const demo = demoWorkload({ tenant: 'client-a', namespace: 'a-demo', name: 'web', pool: 'a-pool', replicas: 2 })

test('the policy lets labelled pods reach the proxy, DNS and the cluster, nothing else', () => {
  assert.equal(egressPolicy({ namespace: 'a-demo' }, [proxy], ranges).spec, {
    podSelector: { matchLabels: { egress: 'external' } },
    policyTypes: ['Egress'],
    egress: [
      { to: [{ ipBlock: { cidr: '172.16.28.8/32' } }], ports: [{ protocol: 'TCP', port: 3128 }] },
      {
        to: [
          { ipBlock: { cidr: '10.32.0.10/32' } },
          { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } },
        ],
        ports: [
          { protocol: 'UDP', port: 53 },
          { protocol: 'TCP', port: 53 },
        ],
      },
      { to: [{ ipBlock: { cidr: '100.64.0.0/15' } }, { ipBlock: { cidr: '10.32.0.0/20' } }] },
    ],
  })
})

test('the environment has both spellings, and keeps the cluster out of the proxy', () => {
  const without = noProxy({ services: ranges.services, pods: ranges.pods, private: ['172.16.28.0/22'] })
  const env = proxyEnv(proxy, without)
  assert.equal(env.map(it => it.name).sort(), [
    'HTTPS_PROXY',
    'HTTP_PROXY',
    'NO_PROXY',
    'http_proxy',
    'https_proxy',
    'no_proxy',
  ])
  assert.is(env.find(it => it.name === 'http_proxy')?.value, 'http://172.16.28.8:3128')
  const no = env.find(it => it.name === 'no_proxy')?.value?.split(',') ?? []
  for (const part of ['localhost', '.svc', '.cluster.local', '10.32.0.0/20', '100.64.0.0/15', '172.16.28.0/22']) {
    assert.ok(no.includes(part), part)
  }
})

test('everything is labelled as ours', () => {
  for (const object of [
    namespace('x'),
    proxyConfigMap({ namespace: 'x' }, proxy),
    egressPolicy({ namespace: 'x' }, [proxy], ranges),
    demo,
  ]) {
    assert.is(object.metadata.labels?.['app.kubernetes.io/managed-by'], 'kapsule-egress', object.kind)
  }
})

test('the demo tolerates its tenant, and has nothing of the way out', () => {
  const { template } = demo.spec as { template: { metadata: KubeObject['metadata']; spec: Record<string, never> } }
  assert.equal(template.spec.tolerations, [
    { key: 'node-role.kubernetes.io/client-a', operator: 'Equal', value: 'dedicated', effect: 'NoSchedule' },
  ])
  assert.equal(template.spec.nodeSelector, { 'node-pool': 'a-pool' })
  assert.is(template.spec.hostNetwork, undefined)
  assert.is(template.metadata.labels?.egress, undefined)
})

for (const [kind, path] of [
  ['NetworkPolicy', 'networkpolicies'],
  ['Gateway', 'gateways'],
  ['Ingress', 'ingresses'],
  ['Endpoints', 'endpoints'],
] as const) {
  test(`${kind} is at ${path}`, () => {
    assert.is(pathOf({ apiVersion: 'g/v1', kind, namespace: 'n', name: 'x' }), `/apis/g/v1/namespaces/n/${path}/x`)
  })
}
