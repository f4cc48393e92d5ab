import * as assert from 'uvu/assert'
import type { Check } from '../../../src/rollout/preflight/finding.ts'
import { quota } from '../../../src/rollout/preflight/quota.ts'
import { amountsOf } from '../../../src/rollout/preflight/requests.ts'
import { room } from '../../../src/rollout/preflight/room.ts'
import type { ClusterNode, Sight } from '../../../src/rollout/preflight/sight.ts'
import type { Pod } from '../../../src/rollout/workload.ts'
import { suite } from '../../support/suite.ts'
import { moving, pod, sight, wishes } from './sights.ts'

const { test } = suite('rollout/preflight: room')

const table = (name: string, check: Check, rows: { when: string; see: Partial<Sight>; says?: string }[]) => {
  for (const { when, see, says } of rows)
    test(`${name}: ${when}`, () => {
      const found = check(sight(see)).map(it => `${it.level} ${it.workload}: ${it.what}: ${it.why}; ${it.next}`)
      assert.is(found.length, says ? 1 : 0, found.join('\n'))
      if (says) assert.match(found[0]!, new RegExp(`^${says}`))
    })
}

const asking = (cpu: string, memory: string) => ({ name: 'c', resources: { requests: { cpu, memory } } })

for (const { when, spec, cpu, memory } of [
  { when: 'containers together', spec: { containers: [asking('100m', '64Mi'), asking('0.5', '1Gi')] }, cpu: 0.6, memory: 1088 },
  { when: 'nothing is asked', spec: { containers: [{ name: 'c' }] }, cpu: 0, memory: 0 },
  { when: 'the one that prepares asks for more', spec: { containers: [asking('1', '1Mi')], initContainers: [asking('2', '0'), asking('1', '3Mi')] }, cpu: 2, memory: 3 },
  { when: 'a sidecar runs beside', spec: { containers: [asking('1', '1Mi')], initContainers: [{ ...asking('2', '2Mi'), restartPolicy: 'Always' }] }, cpu: 3, memory: 3 },
  { when: 'one that prepares, after a sidecar', spec: { containers: [asking('1', '1Mi')], initContainers: [{ ...asking('2', '2Mi'), restartPolicy: 'Always' }, asking('3', '0')] }, cpu: 5, memory: 3 },
  { when: 'one that prepares, before a sidecar', spec: { containers: [asking('1', '1Mi')], initContainers: [asking('4', '0'), { ...asking('2', '2Mi'), restartPolicy: 'Always' }] }, cpu: 4, memory: 3 },
  { when: 'a limit alone is a request', spec: { containers: [{ name: 'c', resources: { limits: { cpu: '2', memory: '1Mi' } } }] }, cpu: 2, memory: 1 },
  { when: 'a runtime has its own', spec: { containers: [asking('1', '1Mi')], overhead: { cpu: '250m', memory: '4Mi' } }, cpu: 1.25, memory: 5 },
]) // biome-ignore format: a table
  test(`what a pod asks for: ${when}`, () => {
    const amounts = amountsOf(spec)
    assert.equal([amounts.cpu, amounts.memory / 2 ** 20], [cpu, memory])
  })

const quotaOf = (hard: Record<string, string>, used: Record<string, string>, scopes?: string[]) => ({
  quotas: [{ metadata: { name: 'most' }, spec: { hard, ...(scopes && { scopes }) }, status: { hard, used } }],
})
const surging = (more: object = {}) => moving({ containers: [asking('500m', '100Mi')], spec: { replicas: 2, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } }, ...more }) // biome-ignore format: one
const yielding = moving({ containers: [asking('500m', '100Mi')], spec: { replicas: 4 } })
table('quota', quota, [
  { when: 'none', see: { moving: [surging()] } },
  { when: 'room for one', see: { moving: [surging()], ...quotaOf({ pods: '3' }, { pods: '2' }) } },
  { when: 'full', see: { moving: [surging()], ...quotaOf({ pods: '3' }, { pods: '3' }) }, says: 'stop shop/web: ResourceQuota most has no room .*: pods: 3 of 3 are used, and 1 more needed; raise' },
  { when: 'full, and one goes first', see: { moving: [yielding], ...quotaOf({ 'count/pods': '4' }, { 'count/pods': '4' }) }, says: 'note shop/web: .*takes longer' },
  { when: 'requests', see: { moving: [surging()], ...quotaOf({ 'requests.cpu': '2', 'requests.memory': '1Gi' }, { 'requests.cpu': '1750m', 'requests.memory': '500Mi' }) }, says: 'stop shop/web: .*: requests.cpu: 1750m of 2 are used, and 500m more needed;' },
  { when: 'one of its scopes', see: { moving: [surging()], ...quotaOf({ pods: '0' }, { pods: '0' }, ['BestEffort']) } },
  { when: 'two of one phase', see: { moving: [surging(), surging({ name: 'api' })], ...quotaOf({ pods: '5' }, { pods: '4' }) }, says: 'stop shop/web: .*and 2 more needed .with shop/api.' },
  { when: 'two of two phases', see: { moving: [surging(), surging({ name: 'api', phase: 'expand 1/1' })], ...quotaOf({ pods: '5' }, { pods: '4' }) } },
  { when: 'sets are kept from phase to phase', see: { moving: [surging(), surging({ name: 'api', phase: 'expand 1/1' })], ...quotaOf({ 'count/replicasets.apps': '3' }, { 'count/replicasets.apps': '2' }) }, says: 'stop shop/web: .*count/replicasets.apps: 2 of 3 are used, and 2 more' },
  { when: 'what adds no pod', see: { moving: [moving({ kind: 'StatefulSet' })], ...quotaOf({ pods: '2' }, { pods: '2' }) } },
]) // biome-ignore format: a table

const node = (name: string, { cpu = '2', labels = {}, spec = {}, conditions = [{ type: 'Ready', status: 'True' }] } = {}): ClusterNode => ({
  metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
  spec,
  status: { allocatable: { cpu, memory: '1Gi', pods: '10' }, conditions },
}) // biome-ignore format: one
const on = (name: string, it: Pod, containers = [asking('1500m', '1Mi')]): Pod => ({
  ...it,
  spec: { nodeName: name, containers },
})
const filled = (more: Partial<Sight> = {}): Partial<Sight> => ({ nodes: [node('n1')], everyPod: [on('n1', pod('a')), on('n1', pod('b'), [asking('250m', '1Mi')])], moving: [surging()], ...more }) // biome-ignore format: one
const affinity = (more: object) => ({ moving: [surging({ template: { affinity: more } })] })
const apart = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } }] } } // biome-ignore format: one
const zoned = (zone: string) => ({ nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [zone] }] }] } } }) // biome-ignore format: one
table('room', room, [
  { when: 'nodes that nobody read', see: { moving: [surging()] } },
  { when: 'a node that is empty', see: filled({ everyPod: [] }) },
  { when: 'a node that is full', see: filled(), says: 'stop shop/web: no node has room .*of 1 nodes: 1 have too little CPU; add a node' },
  { when: 'a node that is full, and one goes first', see: filled({ moving: [yielding] }), says: 'note shop/web: .*takes longer' },
  { when: 'a node that is full of a pool that grows', see: filled({ wishes: { ...wishes, grows: true } }), says: 'note shop/web: .*autoscaling is on' },
  { when: 'another node', see: filled({ nodes: [node('n1'), node('n2')] }) },
  { when: 'pods that are over', see: filled({ everyPod: [{ ...on('n1', pod('a')), status: { phase: 'Succeeded' } }] }) },
  { when: 'as many pods as may be', see: filled({ everyPod: Array.from({ length: 10 }, (_, n) => on('n1', pod(`p${n}`), [asking('0', '0')])) }), says: 'stop shop/web: .*as many pods as they may' },
  { when: 'cordoned and not ready', see: filled({ everyPod: [], nodes: [node('n1', { spec: { unschedulable: true } }), node('n2', { conditions: [{ type: 'Ready', status: 'Unknown' }] })] }), says: 'stop shop/web: .*1 are cordoned, 1 are not ready' },
  { when: 'a taint', see: filled({ everyPod: [], nodes: [node('n1', { spec: { taints: [{ key: 'for', value: 'others', effect: 'NoSchedule' }] } })] }), says: 'stop shop/web: .*have the taint for' },
  { when: 'a taint that it tolerates', see: filled({ everyPod: [], moving: [surging({ template: { tolerations: [{ key: 'for', operator: 'Exists' }] } })], nodes: [node('n1', { spec: { taints: [{ key: 'for', value: 'others', effect: 'NoSchedule' }] } })] }) },
  { when: 'a pool that is not there', see: filled({ everyPod: [], moving: [surging({ template: { nodeSelector: { pool: 'a' } } })] }), says: 'stop shop/web: .*not those it asks for' },
  { when: 'the zone', see: filled({ everyPod: [], ...affinity(zoned('a')), nodes: [node('n1', { labels: { zone: 'a' } })] }) },
  { when: 'another zone', see: filled({ everyPod: [], ...affinity(zoned('a')), nodes: [node('n1', { labels: { zone: 'b' } })] }), says: 'stop shop/web: .*not those it asks for' },
  { when: 'one of it on each node, and never two', see: filled({ everyPod: [], ...affinity(apart), pods: [on('n1', pod('web-1', { labels: { app: 'web' } }))] }), says: 'stop shop/web: .*a pod that it must not be beside' },
  { when: 'never two, and a node without', see: filled({ everyPod: [], ...affinity(apart), nodes: [node('n1'), node('n2')], pods: [on('n1', pod('web-1', { labels: { app: 'web' } }))] }) },
  { when: 'two of one phase, and room for one', see: filled({ everyPod: [on('n1', pod('a'), [asking('1', '1Mi')])], moving: [surging(), surging({ name: 'api', containers: [asking('600m', '1Mi')] })] }), says: 'stop shop/api: no node has room' },
]) // biome-ignore format: a table

const zone = (name: string, of: string) => node(name, { labels: { zone: of } })
const mine = (at: string, ...names: string[]) => names.map(it => on(at, pod(it, { labels: { app: 'web' } })))
const spreading = (words: object = {}, more: object = {}) => {
  const spread = { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'web' } }, ...words } // biome-ignore format: one
  return { everyPod: [], moving: [surging({ template: { topologySpreadConstraints: [spread], ...more } })] }
}
const zones = [zone('n1', 'a'), zone('n2', 'b')]
const full = (name: string, of: string) => ({ ...zone(name, of), spec: { unschedulable: true } })
table('spread', room, [
  { when: 'as many in each zone', see: filled({ ...spreading(), nodes: zones, pods: [...mine('n1', 'w1'), ...mine('n2', 'w2')] }) },
  { when: 'more where there is room', see: filled({ ...spreading(), nodes: [zone('n1', 'a'), full('n2', 'b')], pods: mine('n1', 'w1') }), says: 'stop shop/web: .*1 have more of its pods than its spread allows, 1 are cordoned' },
  { when: 'a skew that is allowed', see: filled({ ...spreading({ maxSkew: 2 }), nodes: [zone('n1', 'a'), full('n2', 'b')], pods: mine('n1', 'w1') }) },
  { when: 'schedule anyway', see: filled({ ...spreading({ whenUnsatisfiable: 'ScheduleAnyway' }), nodes: [zone('n1', 'a'), full('n2', 'b')], pods: mine('n1', 'w1') }) },
  { when: 'nodes without the label', see: filled({ ...spreading(), nodes: [node('n1')] }), says: 'stop shop/web: .*1 lack the label' },
  { when: 'a zone that it does not ask for', see: filled({ ...spreading({}, { nodeSelector: { zone: 'a' } }), nodes: [zone('n1', 'a'), full('n2', 'b')], pods: mine('n1', 'w1') }) },
  { when: 'a zone that counts, asked for or not', see: filled({ ...spreading({ nodeAffinityPolicy: 'Ignore' }, { nodeSelector: { zone: 'a' } }), nodes: [zone('n1', 'a'), full('n2', 'b')], pods: mine('n1', 'w1') }), says: 'stop shop/web: .*spread' },
  { when: 'fewer zones than it wants', see: filled({ ...spreading({ minDomains: 2 }), nodes: [zone('n1', 'a')], pods: mine('n1', 'w1') }), says: 'stop shop/web: .*spread' },
  { when: 'new pods alone are counted', see: filled({ ...spreading({ matchLabelKeys: ['pod-template-hash'] }), nodes: [zone('n1', 'a'), full('n2', 'b')], pods: mine('n1', 'w1') }) },
]) // biome-ignore format: a table

const claim = (...accessModes: string[]) => [{ metadata: { name: 'data' }, spec: { accessModes } }]
const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }]
const mounting = { everyPod: [], moving: [surging({ template: { volumes } })] }
const using = (at: string, name = 'w1') => {
  const it = pod(name)
  return { ...on(at, it), spec: { ...it.spec, nodeName: at, volumes } } as Pod
}
const both = [node('n1'), node('n2')]
const cordoned = [{ ...node('n1'), spec: { unschedulable: true } }, node('n2')]
table('volumes', room, [
  { when: 'on a node with room', see: filled({ ...mounting, claims: claim('ReadWriteOnce'), nodes: both, pods: [using('n1')] }) },
  { when: 'on a node without', see: filled({ ...mounting, claims: claim('ReadWriteOnce'), nodes: cordoned, pods: [using('n1')] }), says: 'stop shop/web: no node has room .*1 are not where its volume data is .n1.' },
  { when: 'for many', see: filled({ ...mounting, claims: claim('ReadWriteMany'), nodes: cordoned, pods: [using('n1')] }) },
  { when: 'that nobody has', see: filled({ ...mounting, claims: claim('ReadWriteOnce'), nodes: cordoned }) },
  { when: 'for one pod', see: filled({ ...mounting, claims: claim('ReadWriteOncePod'), nodes: both, pods: [using('n1')] }), says: 'stop shop/web: the pod that comes first would wait for the volume data: its access mode is ReadWriteOncePod' },
  { when: 'for one pod, and nodes that nobody read', see: { moving: mounting.moving, claims: claim('ReadWriteOncePod'), pods: [using('n1')] }, says: 'stop shop/web: the pod that comes first' },
  { when: 'for one pod, and one goes first', see: { moving: [moving({ spec: { replicas: 4 }, template: { volumes } })], claims: claim('ReadWriteOncePod'), pods: [using('n1')] }, says: 'note shop/web: .*takes longer' },
]) // biome-ignore format: a table
