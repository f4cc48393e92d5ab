import * as assert from 'uvu/assert'
import type { KubeObject } from '../../../src/rollout/kube/object.ts'
import { selectsCalico } from '../../../src/rollout/preflight/calico-selector.ts'
import { readForeign } from '../../../src/rollout/preflight/foreign.ts'
import { foreignPolicies } from '../../../src/rollout/preflight/foreign-policies.ts'
import { scaling } from '../../../src/rollout/preflight/scaling.ts'
import type { Sight } from '../../../src/rollout/preflight/sight.ts'
import { suite } from '../../support/suite.ts'
import { moving, sight } from './sights.ts'

const { test } = suite('rollout/preflight: kinds that not every cluster has')

const object = (apiVersion: string, kind: string, spec: object, metadata: object = {}) =>
  ({ apiVersion, kind, metadata: { name: 'theirs', ...metadata }, spec }) as unknown as KubeObject

const web = { matchLabels: { app: 'web' } }
const cilium = (spec: object) => object('cilium.io/v2', 'CiliumNetworkPolicy', { endpointSelector: web, ...spec }, { namespace: 'shop' }) // biome-ignore format: one
const wide = (spec: object) => object('cilium.io/v2', 'CiliumClusterwideNetworkPolicy', { endpointSelector: {}, ...spec }) // biome-ignore format: one
const calico = (spec: object) => object('crd.projectcalico.org/v1', 'GlobalNetworkPolicy', { selector: "app == 'web'", types: ['Egress'], ...spec }) // biome-ignore format: one
const subject = { namespaces: { matchLabels: { team: 'a' } } }
const admin = (spec: object) => object('policy.networking.k8s.io/v1alpha1', 'AdminNetworkPolicy', { priority: 1, subject, ...spec }) // biome-ignore format: one
const baseline = (spec: object) => object('policy.networking.k8s.io/v1alpha1', 'BaselineAdminNetworkPolicy', { subject, ...spec }) // biome-ignore format: one
const cluster = (spec: object) => object('policy.networking.k8s.io/v1alpha2', 'ClusterNetworkPolicy', { tier: 'Admin', priority: 1, subject, ...spec }) // biome-ignore format: one
const all = [{ networks: ['0.0.0.0/0'] }]
const moved = { 'k8s:egress': 'external' }
const notMoved = { matchExpressions: [{ key: 'k8s:egress', operator: 'NotIn', values: ['external'] }] }

for (const { when, it, says, labels = { team: 'a' } } of [
  { when: 'Cilium, the world', it: cilium({ egress: [{ toEntities: ['world'] }] }), says: 'stop .*CiliumNetworkPolicy theirs lets it past the proxy: to everywhere: what any policy' },
  { when: 'Cilium, all addresses', it: cilium({ egress: [{ toCIDRSet: [{ cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] }] }] }), says: 'stop .*to 0.0.0.0/0' },
  { when: 'Cilium, any name', it: cilium({ egress: [{ toFQDNs: [{ matchPattern: '*' }] }] }), says: 'stop ' },
  { when: 'Cilium, ports of whoever', it: cilium({ egress: [{ toPorts: [{ ports: [{ port: '443' }] }] }] }), says: 'stop .*to everywhere' },
  { when: 'Cilium, one name', it: cilium({ egress: [{ toFQDNs: [{ matchName: 'api.example' }] }] }), says: 'note .*to api.example' },
  { when: 'Cilium, names', it: cilium({ egress: [{ toEntities: ['world'], toPorts: [{ ports: [{ port: '53' }] }] }] }), says: 'note .*everywhere on port 53' },
  { when: 'Cilium, in the cluster', it: cilium({ egress: [{ toEndpoints: [{}] }, { toCIDR: ['10.32.0.0/24'] }] }), says: 'note .*is about it, too' },
  { when: 'Cilium, nothing', it: cilium({ egress: [{}] }), says: 'note .*is about it, too' },
  { when: 'Cilium, the world but it is denied', it: cilium({ egress: [{ toEntities: ['world'] }], egressDeny: [{ toEntities: ['world'] }] }), says: 'note .*may keep it from the proxy' },
  { when: 'Cilium, of the whole cluster', it: wide({ egress: [{ toEntities: ['all'] }] }), says: 'stop .*CiliumClusterwideNetworkPolicy theirs lets it' },
  { when: 'Cilium, of another namespace', it: wide({ endpointSelector: { matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'other' } }, egress: [{ toEntities: ['all'] }] }) },
  { when: 'Cilium, of nodes', it: wide({ endpointSelector: undefined, nodeSelector: {}, egress: [{ toEntities: ['all'] }] }) },
  { when: 'Cilium, other pods', it: cilium({ endpointSelector: { matchLabels: { app: 'api' } }, egress: [{ toEntities: ['all'] }] }) },
  { when: 'Cilium, all but moved pods', it: cilium({ endpointSelector: notMoved, egress: [{ toEntities: ['world'] }] }), says: 'note .*would not hold for it any more' },
  { when: 'Cilium, what comes in to all but moved pods', it: cilium({ endpointSelector: notMoved, ingress: [{}] }), says: 'stop .*would not hold for it any more' },
  { when: 'Cilium, what comes in to moved pods', it: cilium({ endpointSelector: { matchLabels: moved }, ingress: [{}] }), says: 'stop .*would close it' },
  { when: 'Cilium, several in one', it: object('cilium.io/v2', 'CiliumNetworkPolicy', undefined as never, {}), labels: { team: 'a' } },
  { when: 'Calico, everywhere', it: calico({ egress: [{ action: 'Allow' }] }), says: 'stop .*GlobalNetworkPolicy theirs lets it past' },
  { when: 'Calico, everywhere after all is denied', it: calico({ egress: [{ action: 'Deny', destination: { nets: ['0.0.0.0/0'] } }, { action: 'Allow' }] }), says: 'note .*may keep it' },
  { when: 'Calico, everywhere before all is denied', it: calico({ egress: [{ action: 'Log' }, { action: 'Allow' }, { action: 'Deny' }] }), says: 'stop ' },
  { when: 'Calico, in the cluster', it: calico({ egress: [{ action: 'Allow', destination: { selector: 'all()' } }] }), says: 'note .*is about it, too' },
  { when: 'Calico, what comes in alone', it: calico({ types: ['Ingress'], egress: [{ action: 'Allow' }] }), says: 'note .*is about it, too' },
  { when: 'Calico, other pods', it: calico({ selector: "app == 'api'", egress: [{ action: 'Allow' }] }) },
  { when: 'Calico, another namespace', it: calico({ namespaceSelector: "team == 'b'", egress: [{ action: 'Allow' }] }) },
  { when: 'Calico, a namespace nobody may read', it: calico({ namespaceSelector: "team == 'b'", egress: [{ action: 'Allow' }] }), labels: null, says: 'note .*whether it has these pods is not known' },
  { when: 'Calico, words that are not known', it: calico({ selector: "app starts with 'w'", egress: [{ action: 'Allow' }] }), says: 'note .*is not known' },
  { when: 'Admin, allows all', it: admin({ egress: [{ action: 'Allow', to: all }] }), says: 'stop .*AdminNetworkPolicy theirs lets it past the proxy: to 0.0.0.0/0: it is asked before any NetworkPolicy' },
  { when: 'Admin, allows after it passed all on', it: admin({ egress: [{ action: 'Pass', to: all }, { action: 'Allow', to: all }] }), says: 'note .*is about it, too' },
  { when: 'Admin, denies', it: admin({ egress: [{ action: 'Deny', to: [{ networks: ['169.254.169.254/32'] }] }] }), says: 'note .*may keep it from the proxy' },
  { when: 'Admin, allows names', it: admin({ egress: [{ action: 'Allow', to: all, ports: [{ portNumber: { protocol: 'UDP', port: 53 } }] }] }), says: 'note .*on port 53' },
  { when: 'Admin, other namespaces', it: admin({ egress: [{ action: 'Allow', to: all }] }), labels: { team: 'b' } },
  { when: 'Admin, other pods', it: admin({ subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: 'api' } } } }, egress: [{ action: 'Allow', to: all }] }) },
  { when: 'Admin, a namespace nobody may read', it: admin({ egress: [{ action: 'Allow', to: all }] }), labels: null, says: 'note .*is not known' },
  { when: 'Baseline, allows all', it: baseline({ egress: [{ action: 'Allow', to: all }] }), says: 'note .*BaselineAdminNetworkPolicy theirs is about it: what goes out of a pod that a NetworkPolicy has is not asked' },
  { when: 'cluster-wide, accepts all', it: cluster({ egress: [{ action: 'Accept', to: all, protocols: [{ tcp: { destinationPort: { number: 443 } } }] }] }), says: 'stop .*ClusterNetworkPolicy theirs lets it' },
  { when: 'cluster-wide, as a baseline', it: cluster({ tier: 'Baseline', egress: [{ action: 'Accept', to: all }] }), says: 'note .*is about it: ' },
] as { when: string; it: KubeObject; says?: string; labels?: Sight['namespaceLabels'] }[]) // biome-ignore format: a table
  test(`policies of other kinds: ${when}`, () => {
    const see = sight({ moving: [moving()], foreign: [it], namespaceLabels: labels })
    const found = foreignPolicies(see).map(its => `${its.level} ${its.workload}: ${its.what}: ${its.why}; ${its.next}`)
    assert.is(found.length, says ? 1 : 0, found.join())
    if (says) assert.match(found[0]!, new RegExp(`^${says}`))
  })

test('a policy of Cilium with several specs has what any of them has', () => {
  const specs = [
    { endpointSelector: {}, egress: [] },
    { endpointSelector: web, egress: [{ toEntities: ['world'] }] },
  ]
  const foreign = [{ ...object('cilium.io/v2', 'CiliumNetworkPolicy', {}), spec: undefined, specs } as unknown as KubeObject] // biome-ignore format: one
  assert.is(foreignPolicies(sight({ moving: [moving()], foreign }))[0]?.level, 'stop')
})

for (const [selector, is] of [
  [undefined, true],
  ['', true],
  ['all()', true],
  ["app == 'web'", true],
  ['app == "web"', true],
  ["app != 'web'", false],
  ["none != 'web'", true],
  ['has(app)', true],
  ['!has(app)', false],
  ["app in {'a', 'web'}", true],
  ["app not in { 'a' , 'b' }", true],
  ["has(none) || app == 'web' && has(app)", true],
  ["(has(none) || app == 'web') && has(none)", false],
  ["has(app) || app contains 'x'", null],
  ["app == 'web' x", null],
  ["app == 'web", null],
  ['app ==', null],
  ['(all()', null],
  ["projectcalico.org/tier-x == 'y'", false],
] as const)
  test(`a selector of Calico: ${selector}: ${is}`, () => {
    assert.is(selectsCalico(selector, { app: 'web' }), is)
  })

const scaler = (apiVersion: string, kind: string, spec: object) => object(apiVersion, kind, spec)
const target = { kind: 'Deployment', name: 'web' }
for (const { when, it, says } of [
  { when: 'an autoscaler', it: scaler('autoscaling/v2', 'HorizontalPodAutoscaler', { scaleTargetRef: target, maxReplicas: 9 }), says: 'note shop/web: HorizontalPodAutoscaler theirs may change its replicas while it moves: 1 to 9 pods' },
  { when: 'an autoscaler of another', it: scaler('autoscaling/v2', 'HorizontalPodAutoscaler', { scaleTargetRef: { ...target, name: 'api' }, maxReplicas: 9 }) },
  { when: 'an autoscaler of another kind', it: scaler('autoscaling/v2', 'HorizontalPodAutoscaler', { scaleTargetRef: { ...target, kind: 'StatefulSet' }, maxReplicas: 9 }) },
  { when: 'KEDA, down to none', it: scaler('keda.sh/v1alpha1', 'ScaledObject', { scaleTargetRef: { name: 'web' } }), says: 'note shop/web: ScaledObject theirs may take all its pods away: 0 to 100' },
  { when: 'KEDA, one at least', it: scaler('keda.sh/v1alpha1', 'ScaledObject', { scaleTargetRef: { name: 'web' }, minReplicaCount: 1 }), says: 'note shop/web: ScaledObject theirs may change' },
  { when: 'a vertical one', it: scaler('autoscaling.k8s.io/v1', 'VerticalPodAutoscaler', { targetRef: target }), says: 'note shop/web: VerticalPodAutoscaler theirs may replace its pods' },
  { when: 'a vertical one that only tells', it: scaler('autoscaling.k8s.io/v1', 'VerticalPodAutoscaler', { targetRef: target, updatePolicy: { updateMode: 'Off' } }) },
] as { when: string; it: KubeObject; says?: string }[]) // biome-ignore format: a table
  test(`scaling: ${when}`, () => {
    const found = scaling(sight({ moving: [moving()], scalers: [it] })).map(its => `${its.level} ${its.workload}: ${its.what}: ${its.why}`) // biome-ignore format: one
    assert.is(found.length, says ? 1 : 0, found.join())
    if (says) assert.match(found[0]!, new RegExp(`^${says}`))
  })

test('what the cluster has is asked for, and nothing else', async () => {
  const ask = async (served: string[]) => {
    const asked: string[] = []
    const list = async ({
      apiVersion,
      kind,
      namespace = '',
    }: {
      apiVersion: string
      kind: string
      namespace?: string
    }) => {
      asked.push(`${apiVersion} ${kind} ${namespace}`.trim())
      return { items: [object(apiVersion, kind, {})], resourceVersion: '' }
    }
    const { policies, scalers } = await readForeign({ list: list as never, unread: () => [] }, served, 'shop')
    assert.is(policies.length + scalers.length, asked.length)
    return asked
  }
  assert.equal(await ask(['apps/v1', 'networking.k8s.io/v1']), [])
  assert.equal(await ask(['autoscaling/v1', 'autoscaling/v2']), ['autoscaling/v2 HorizontalPodAutoscaler shop'])
  assert.equal(await ask(['projectcalico.org/v3', 'crd.projectcalico.org/v1']), [
    'projectcalico.org/v3 NetworkPolicy shop',
    'projectcalico.org/v3 GlobalNetworkPolicy',
  ])
})
