import * as assert from 'uvu/assert'
import { acceptable } from '../../../src/inventory/schema-preflight.ts'
import { proxyFiles } from '../../../src/rollout/manifests.ts'
import { baseline } from '../../../src/rollout/preflight/baseline.ts'
import { judge, names } from '../../../src/rollout/preflight/checks.ts'
import { conflicts } from '../../../src/rollout/preflight/conflicts.ts'
import { budget, outage } from '../../../src/rollout/preflight/downtime.ts'
import type { Check } from '../../../src/rollout/preflight/finding.ts'
import { hostNetwork } from '../../../src/rollout/preflight/host-network.ts'
import { label } from '../../../src/rollout/preflight/label.ts'
import { ownership } from '../../../src/rollout/preflight/ownership.ts'
import { partnerList } from '../../../src/rollout/preflight/partner-list.ts'
import { policies } from '../../../src/rollout/preflight/policies.ts'
import { rights } from '../../../src/rollout/preflight/rights.ts'
import type { Sight } from '../../../src/rollout/preflight/sight.ts'
import { standstill } from '../../../src/rollout/preflight/standstill.ts'
import { tools } from '../../../src/rollout/preflight/tools.ts'
import { variables } from '../../../src/rollout/preflight/variables.ts'
import { suite } from '../../support/suite.ts'
import { budget as budgetOf, env, held, moving, pod, policy, sight, wishes } from './sights.ts'

const { test } = suite('rollout/preflight')

type Row = { when: string; see: Partial<Sight>; says?: string }

/** `says`: level and a pattern of what, why and next; absent: nothing is found. */
const table = (name: string, check: Check, rows: Row[]) => {
  for (const { when, see, says } of rows)
    test(`${name}: ${when}`, () => {
      const found = check(sight(see)).map(it => `${it.level} ${it.workload}: ${it.what}: ${it.why}; ${it.next}`)
      assert.is(found.length, says ? 1 : 0, found.join('\n'))
      if (says) assert.match(found[0]!, new RegExp(`^${says}`))
    })
}
const one = (...words: Parameters<typeof moving>) => ({ moving: [moving(...words)] })
const waiting = { updatedReplicas: 1 }
const late = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'too late' }

table('baseline', baseline, [
  { when: 'all is well', see: one() },
  { when: 'not there', see: { absent: [{ kind: 'StatefulSet', name: 'db' }] }, says: 'stop shop/statefulset/db: it is not there' },
  { when: 'a pod is not ready', see: one({ kind: 'Pod', pods: [pod('web', { ready: false })] }), says: 'stop shop/web: it is not healthy: 0 of 1 pods are ready' },
  { when: 'a pod crashes', see: one({ pods: [pod('web-1', { ready: false, waiting: 'CrashLoopBackOff' })] }), says: 'stop shop/web: it crashes already: web-1: CrashLoopBackOff; kubectl -n shop logs --previous web-1' },
  { when: 'it crashed long ago', see: one({ pods: [pod('web-1', { restarts: 9 }), pod('web-2')] }) },
  { when: 'a rollout is under way', see: one({ status: waiting }), says: 'stop shop/web: a rollout of it is under way: 1/2 new pods' },
  { when: 'past its deadline', see: one({ status: { conditions: [late] } }), says: 'stop shop/web: a rollout of it is stuck: too late; kubectl -n shop describe deployment/web' },
  { when: 'our own move is under way', see: one({ begun: true, status: waiting }) },
  { when: 'only pods on their way out are left of the old', see: one({ old: [pod('web-0', { ready: false, metadata: { deletionTimestamp: 'x' } })] }) },
  { when: 'a Job of a CronJob runs', see: one({ kind: 'CronJob', pods: [pod('a', { ready: false })] }) },
]) // biome-ignore format: a table

test('baseline: what may be over soon is told from what is not', () => {
  const [under] = baseline(sight(one({ status: waiting })))
  const [crashes] = baseline(sight(one({ pods: [pod('web-1', { ready: false, waiting: 'CrashLoopBackOff' })] })))
  assert.equal([under?.passing, crashes?.passing], [true, undefined])
})

const db = (spec: object, status = {}) =>
  one({ kind: 'StatefulSet', name: 'db', spec: { replicas: 3, ...spec }, status })
const patient = { wishes: { ...wishes, patient: true } }
const going = { wishes: { ...wishes, entries: ['198.51.100.7'] } }
const stranger = pod('other-1', { metadata: { uid: 'u-other' } })
table('partner-list', partnerList, [
  { when: 'nothing is to go', see: { ...one(), pods: [stranger] } },
  { when: 'every pod moves', see: { ...one({ pods: [stranger] }), pods: [stranger], ...going } },
  { when: 'a pod has moved', see: { ...one(), pods: [pod('m', { labels: { egress: 'external' } })], ...going } },
  { when: 'nobody moves a pod', see: { ...one(), pods: [stranger], ...going }, says: "note shop: 198.51.100.7 would stay in the partner's list: no workload that moves has other-1" },
  { when: 'it is ours', see: { ...one(), pods: [pod('p', { labels: { 'kapsule-egress/probe': 'x' } })], ...going } },
]) // biome-ignore format: a table

table('standstill', standstill, [
  { when: 'all is well', see: one() },
  { when: 'paused', see: one({ spec: { paused: true } }), says: 'stop shop/web: its rollout is paused: .*kubectl -n shop rollout resume deployment/web' },
  { when: 'terminating', see: one({ metadata: { deletionTimestamp: '2026-01-01' } }), says: 'stop shop/web: it is being deleted: since 2026-01-01' },
  { when: 'scaled to zero', see: one({ spec: { replicas: 0 }, pods: [] }), says: 'stop shop/web: it has no pods: .*scale deployment/web' },
  { when: 'a DaemonSet without nodes', see: one({ kind: 'DaemonSet', pods: [] }), says: 'stop shop/web: it has no pods: .*give it a node' },
  { when: 'OnDelete', see: db({ updateStrategy: { type: 'OnDelete' } }), says: 'stop shop/db: none of its pods would move' },
  { when: 'OnDelete, and gates that wait', see: { ...db({ updateStrategy: { type: 'OnDelete' } }), ...patient }, says: 'note shop/db: gates wait until its owner deletes a pod' },
  { when: 'a partition above all', see: db({ updateStrategy: { rollingUpdate: { partition: 3 } } }), says: 'stop shop/db: none of its pods would move: its partition is 3' },
  { when: 'a partition above all, and gates that wait', see: { ...db({ updateStrategy: { rollingUpdate: { partition: 3 } } }), ...patient }, says: 'note shop/db: gates wait until its owner lowers the partition' },
  { when: 'a partition', see: db({ updateStrategy: { rollingUpdate: { partition: 1 } } }), says: 'note shop/db: 1 of its 3 pods stay' },
  { when: 'a suspended CronJob', see: one({ kind: 'CronJob', spec: { suspend: true } }), says: 'stop shop/web: it is suspended' },
  { when: 'a CronJob that gates wait for', see: { ...one({ kind: 'CronJob', spec: { schedule: '*/5 * * * *' } }), ...patient }, says: 'note shop/web: gates wait for its next Job' },
  { when: 'a CronJob that no gate waits for', see: one({ kind: 'CronJob', spec: { schedule: '0 3 * * *' } }), says: 'stop shop/web: gates would find no Job' },
  { when: 'a pod of a ReplicaSet', see: one({ kind: 'Pod', metadata: { ownerReferences: [{ kind: 'ReplicaSet', name: 'r', controller: true }] } }), says: 'stop shop/web: it is not its own: it belongs to ReplicaSet r' },
  { when: 'pods on their way out', see: one({ pods: [pod('a'), pod('b', { metadata: { deletionTimestamp: 'x' } })] }), says: 'note shop/web: pods of it are on their way out' },
]) // biome-ignore format: a table

const rolling = (maxSurge: number | string, maxUnavailable: number | string) => ({
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
})
table('outage', outage, [
  { when: 'a Deployment by default', see: one() },
  { when: 'one pod by default', see: one({ spec: { replicas: 1 } }) },
  { when: 'Recreate', see: one({ spec: { strategy: { type: 'Recreate' } } }), says: 'stop shop/web: moving it is an outage: its strategy is Recreate' },
  { when: 'all may go at once', see: one({ spec: rolling(0, '100%') }), says: 'stop shop/web: .*lets all 2 pods go at once' },
  { when: 'one pod and no surge', see: one({ spec: { replicas: 1, ...rolling(0, 1) } }), says: 'stop shop/web: .*lets all 1 pods go' },
  { when: 'a StatefulSet of one', see: db({ replicas: 1 }), says: 'stop shop/db: moving it is an outage: its only pod stops' },
  { when: 'a StatefulSet of three', see: db({}) },
  { when: 'a StatefulSet of one whose pods its owner deletes', see: db({ replicas: 1, updateStrategy: { type: 'OnDelete' } }) },
  { when: 'a DaemonSet', see: one({ kind: 'DaemonSet', status: { desiredNumberScheduled: 1 } }) },
  { when: 'a bare pod', see: one({ kind: 'Pod' }) },
]) // biome-ignore format: a table

const four = (name = 'web') => [1, 2, 3, 4].map(n => pod(`${name}-${n}`, { labels: { app: name } }))
const spread = (of: object = {}) => ({ pods: four(), ...one({ spec: { replicas: 4, ...of } }) })
table('budget', budget, [
  { when: 'a quarter may go, and three must stay', see: { ...spread(), budgets: [budgetOf({ minAvailable: 3 })] } },
  { when: 'a quarter may go, and all must stay', see: { ...spread(), budgets: [budgetOf({ minAvailable: 4 })] }, says: 'stop shop/web: moving it goes below PodDisruptionBudget enough: 4 pods are ready and 1 may be down at once, and 4 must' },
  { when: 'none may go', see: { ...spread(rolling(1, 0)), budgets: [budgetOf({ maxUnavailable: 0 })] } },
  { when: 'shares are rounded up for the budget', see: { ...spread(rolling(1, 2)), budgets: [budgetOf({ minAvailable: '60%' })] }, says: 'stop shop/web: .*and 3 must' },
  { when: 'a share that may go', see: { ...spread(rolling(1, 2)), budgets: [budgetOf({ maxUnavailable: '50%' })] } },
  { when: 'a budget of others', see: { ...spread(rolling(0, 4)), budgets: [budgetOf({ minAvailable: 4 }, 'api')] } },
  {
    when: 'two workloads of one budget in one phase',
    see: { pods: four(), moving: [moving({ spec: { replicas: 2, ...rolling(1, 1) } }), moving({ name: 'web2', labels: { app: 'web' }, spec: { replicas: 2, ...rolling(1, 1) } })], budgets: [budgetOf({ minAvailable: 3 })] },
    says: 'stop shop/web: .*2 may be down at once, with shop/web2 in the same phase',
  },
  {
    when: 'two workloads of one budget in two phases',
    see: { pods: four(), moving: [moving({ spec: { replicas: 2, ...rolling(1, 1) } }), moving({ name: 'web2', phase: 'expand 1/1', labels: { app: 'web' }, spec: { replicas: 2, ...rolling(1, 1) } })], budgets: [budgetOf({ minAvailable: 3 })] },
  },
]) // biome-ignore format: a table

table('host network', hostNetwork, [
  { when: 'a network of their own', see: one() },
  { when: 'that of the node', see: one({ template: { hostNetwork: true } }), says: 'stop shop/web: its pods use the network of their nodes' },
]) // biome-ignore format: a table

const ours = { 'app.kubernetes.io/managed-by': 'kapsule-egress' }
const external = { egress: 'external' }
const other = (kind: string, selector: object) =>
  ({ ...moving({ name: 'other' }).workload, kind, spec: { selector } }) as Sight['workloads'][number]
const movedWeb = {
  ...moving().workload,
  metadata: { name: 'web', uid: 'uid-web', ...held('kapsule-egress', 'Apply', {}) },
} as Sight['workloads'][number]
const labelledPod = pod('web-1-x', {
  labels: external,
  metadata: { ownerReferences: [{ kind: 'ReplicaSet', name: 'web-1', uid: 'r' }] },
})
table('label', label, [
  { when: 'nobody looks at it', see: { ...one(), pods: [pod('x')], services: [{ kind: 'Service', metadata: { name: 's' }, spec: { selector: { app: 'web' } } }] } },
  { when: 'pods carry it', see: { pods: [labelledPod] }, says: 'stop shop: pods carry egress=external already: 1 .web-1-x.' },
  { when: 'pods carry it that we moved', see: { pods: [labelledPod], workloads: [movedWeb] } },
  { when: 'pods carry it and live with the policy', see: { pods: [labelledPod], policies: [policy({}, ours)] } },
  { when: 'its own selector is about it', see: one({ labels: { app: 'web', egress: 'internal' }, spec: { selector: { matchLabels: { egress: 'internal' } } } }), says: 'stop shop/web: its own selector' },
  { when: 'another would adopt its pods', see: { ...one(), workloads: [other('DaemonSet', { matchLabels: external })] }, says: 'stop shop/web: DaemonSet other would take its pods' },
  { when: 'a Service would send it traffic', see: { ...one(), services: [{ kind: 'Service', metadata: { name: 's' }, spec: { selector: external } }] }, says: 'stop shop/web: Service s would send it traffic' },
  { when: 'a Service would lose it', see: { ...one({ labels: { egress: 'internal' } }), services: [{ kind: 'Service', metadata: { name: 's' }, spec: { selector: { egress: 'internal' } } }] }, says: 'stop shop/web: Service s would lose it' },
  { when: 'a budget would count it', see: { ...one(), budgets: [{ ...budgetOf({}), spec: { selector: { matchLabels: external } } }] }, says: 'note shop/web: PodDisruptionBudget enough would count it' },
  { when: 'a budget would not count it', see: { ...one(), budgets: [{ ...budgetOf({}), spec: { selector: { matchExpressions: [{ key: 'egress', operator: 'DoesNotExist' }] } } }] }, says: 'stop shop/web: PodDisruptionBudget enough would not count it' },
]) // biome-ignore format: a table

const notMoved = { matchExpressions: [{ key: 'egress', operator: 'NotIn' as const, values: ['external'] }] }
const out = (cidr: string) => ({ podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [{ ipBlock: { cidr } }] }] })
table('policies', policies, [
  { when: 'deny all', see: { ...one(), policies: [policy({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] })] } },
  { when: 'all goes out', see: { ...one(), policies: [policy({ podSelector: {}, policyTypes: ['Egress'], egress: [{}] })] }, says: 'stop shop/web: NetworkPolicy theirs lets it past the proxy: to everywhere' },
  { when: 'all but moved pods go out', see: { ...one(), policies: [policy({ podSelector: notMoved, policyTypes: ['Egress'], egress: [{}] })] }, says: 'note shop/web: NetworkPolicy theirs would not hold' },
  { when: 'the world', see: { ...one(), policies: [policy(out('0.0.0.0/0'))] }, says: 'stop shop/web: .*to 0.0.0.0/0' },
  { when: 'the world of six', see: { ...one(), policies: [policy(out('::/0'))] }, says: 'stop shop/web: .*to ::/0' },
  { when: 'a database', see: { ...one(), policies: [policy(out('203.0.113.7/32'))] }, says: 'note shop/web: NetworkPolicy theirs lets it past the proxy: to 203.0.113.7/32' },
  { when: 'inside', see: { ...one(), policies: [policy(out('10.32.0.0/24'))] } },
  { when: 'names', see: { ...one(), policies: [policy({ podSelector: {}, policyTypes: ['Egress'], egress: [{ ports: [{ port: 53, protocol: 'UDP' }] }] })] }, says: 'note shop/web: .*to everywhere on port 53' },
  { when: 'our own', see: { ...one(), policies: [policy({ podSelector: {}, egress: [{}] }, ours)] } },
  { when: 'of others pods', see: { ...one(), policies: [policy({ podSelector: { matchLabels: { app: 'api' } }, egress: [{}] })] } },
  { when: 'what comes in is closed by the label', see: { ...one(), policies: [policy({ podSelector: { matchLabels: external } })] }, says: 'stop shop/web: NetworkPolicy theirs would close it' },
  { when: 'what comes in is opened by the label', see: { ...one(), policies: [policy({ podSelector: notMoved })] }, says: 'stop shop/web: NetworkPolicy theirs would not hold' },
  { when: 'a peer that loses it', see: { ...one(), policies: [policy({ podSelector: { matchLabels: { app: 'api' } }, ingress: [{ from: [{ podSelector: notMoved }] }] })] }, says: 'stop shop/web: NetworkPolicy theirs would not let its traffic' },
  { when: 'a peer that gains it', see: { ...one(), policies: [policy({ podSelector: { matchLabels: { app: 'api' } }, ingress: [{ from: [{ podSelector: { matchLabels: external } }] }] })] }, says: 'note shop/web: NetworkPolicy theirs would let its traffic' },
]) // biome-ignore format: a table

const variable = (value: object) => one({ containers: [{ name: 'c', env: [{ name: 'HTTP_PROXY', ...value }] }] })
const withFiles = (container: object) => {
  const it = moving({ kind: 'Pod', containers: [{ name: 'c', ...container }] })
  return { ...it, want: { ...it.want, files: proxyFiles('keys') } }
}
table('variables', variables, [
  { when: 'none', see: one() },
  { when: 'as they will be', see: variable({ value: env[0]!.value }) },
  { when: 'another proxy', see: variable({ value: 'http://old:3128' }), says: 'stop shop/web: it has another proxy: HTTP_PROXY of c' },
  { when: 'from a Secret', see: variable({ valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }), says: 'stop shop/web: it has another proxy: .*by valueFrom' },
  { when: 'with a password', see: variable({ value: 'http://me:hush@old:3128' }), says: 'stop shop/web: a proxy variable holds credentials' },
  { when: 'a bare pod without', see: one({ kind: 'Pod' }), says: 'stop shop/web: it does not know its proxy' },
  { when: 'a bare pod with', see: one({ kind: 'Pod', containers: [{ name: 'c', env }] }) },
  { when: 'a bare pod without a certificate', see: { moving: [withFiles({ env })] }, says: 'stop shop/web: it has no certificate' },
  { when: 'a bare pod with a certificate', see: { moving: [withFiles({ env, volumeMounts: [{ name: 'c', mountPath: '/etc/egress-proxy' }] })] } },
]) // biome-ignore format: a table

test('variables: no password is told', () => {
  assert.not.match(JSON.stringify(variables(sight(variable({ value: 'http://me:hush@old:3128' })))), /hush/)
})

const refused = (why: string, fields: string[] = []) => ({
  status: 409,
  why,
  conflicts: fields.map(field => ({ manager: 'shop-team', field })),
})
const path = '.spec.template.spec.containers[name="c"].env[name="HTTP_PROXY"].value'
table('conflicts', conflicts, [
  { when: 'none', see: one() },
  { when: 'a label of somebody', see: one({ refused: refused('', ['.spec.template.metadata.labels.egress']) }), says: 'stop shop/web: shop-team holds fields that a move needs: spec.template.metadata.labels.egress' },
  { when: 'a webhook that answers not', see: one({ refused: refused('failed calling webhook "w.example": refused') }), says: 'stop shop/web: the cluster would refuse the change: failed calling webhook' },
  { when: 'a webhook that cannot be tried', see: one({ refused: refused('admission webhook "w.example" does not support dry run') }), says: 'note shop/web: the change could not be tried: webhook w.example' },
  { when: 'a webhook that cannot be tried with pods', see: one({ podRefused: refused('admission webhook "w.example" does not support dry run') }), says: 'note shop/web: a new pod of it could not be tried' },
  { when: 'a webhook that changes the change', see: one({ altered: { fields: ['spec.x'], added: [] } }), says: 'stop shop/web: a webhook changes what a move writes: not as they were sent: spec.x' },
  { when: 'a webhook that changes pods', see: one({ podAltered: { fields: ['label egress'], added: [] } }), says: 'stop shop/web: a webhook changes its new pods: .*label egress' },
  { when: 'a webhook that adds a sidecar', see: one({ podAltered: { fields: [], added: ['mesh'] } }), says: 'note shop/web: a webhook adds containers to its pods: mesh' },
  { when: 'a variable that is told already', see: { ...one({ containers: [{ name: 'c', env: [{ name: 'HTTP_PROXY', value: 'x' }] }], refused: refused('', [path]) }) } },
  { when: 'a variable that was as wanted', see: one({ refused: refused('', [path]) }), says: 'stop shop/web: shop-team holds .*env HTTP_PROXY of c' },
  { when: 'a policy of the cluster', see: one({ refused: refused('no labels on Fridays') }), says: 'stop shop/web: the cluster would refuse the change: no labels on Fridays' },
  { when: 'pods that are refused', see: one({ podRefused: refused('violates PodSecurity "restricted:latest"') }), says: 'stop shop/web: the cluster would refuse its new pods: violates PodSecurity' },
]) // biome-ignore format: a table

test('variables: accepting does not help where somebody holds them', () => {
  const taken = { name: 'HTTP_PROXY', value: 'http://old:3128' }
  const see = (conflicts: string[]) =>
    sight(
      one({ containers: [{ name: 'c', env: [taken] }], refused: conflicts.length > 0 ? refused('', conflicts) : null }),
    )
  const level = (conflicts: string[]) => judge([{ sight: see(conflicts), accept: ['variables'] }]).map(it => it.level)
  assert.equal(level([path]), ['stop'])
  assert.equal(level([]), ['note'])
})

const belongs = (metadata: object, more: object = {}) => ({ ...one({ metadata }), ...more })
const flux = {
  labels: { 'kustomize.toolkit.fluxcd.io/name': 'shop', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' },
}
table('ownership', ownership, [
  { when: 'a person', see: belongs(held('kubectl-client-side-apply', 'Update', {})) },
  { when: 'a Kustomization', see: belongs(flux), says: "stop shop/web: it belongs to Flux's Kustomization flux-system/shop: .*into the overlay that .*rollout: . ownership: patch" },
  { when: 'a Kustomization, patched knowingly', see: belongs(flux, { wishes: { ...wishes, patch: true } }), says: "note shop/web: it belongs to Flux's Kustomization" },
  { when: 'a HelmRelease', see: belongs({ labels: { 'helm.toolkit.fluxcd.io/name': 'shop', 'helm.toolkit.fluxcd.io/namespace': 'apps', 'app.kubernetes.io/managed-by': 'Helm' } }), says: "stop shop/web: it belongs to Flux's HelmRelease apps/shop" },
  { when: 'Helm', see: belongs({ labels: { 'app.kubernetes.io/managed-by': 'Helm' }, annotations: { 'meta.helm.sh/release-name': 'shop', 'meta.helm.sh/release-namespace': 'apps' } }), says: "stop shop/web: it belongs to Helm's release apps/shop" },
  { when: 'Argo CD', see: belongs({ annotations: { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:shop/web' } }), says: "stop shop/web: it belongs to Argo CD's Application shop" },
  { when: 'Argo CD by its manager', see: belongs(held('argocd-controller', 'Apply', {})), says: "stop shop/web: it belongs to Argo CD's" },
  { when: 'an operator', see: belongs({ ownerReferences: [{ kind: 'Postgresql', name: 'main', controller: true }] }), says: 'stop shop/web: it belongs to Postgresql main' },
  { when: 'Terraform', see: belongs(held('Terraform', 'Apply', {})), says: 'stop shop/web: it belongs to what Terraform declares' },
]) // biome-ignore format: a table

table('rights', rights, [
  { when: 'all', see: {} },
  { when: 'one is missing', see: { missing: [{ level: 'stop', verbs: ['get'], group: '', resource: 'pods', subresource: 'exec', without: 'gates look from inside pods' }] }, says: 'stop shop: may not get pods/exec: gates look from inside pods; .*resources ."pods/exec".' },
]) // biome-ignore format: a table

const noPods = [{ level: 'note' as const, verbs: ['create'], group: '', resource: 'pods', without: '' }]
table('tools', tools, [
  { when: 'curl is there', see: one() },
  { when: 'curl is there, and the pod that would try the policy is refused', see: one({ standInRefused: refused('no such image') }), says: 'stop shop/web: the pod that tries the policy is refused: no such image' },
  { when: 'no curl', see: one({ lacksCurl: true }), says: 'note shop/web: its image has no curl' },
  { when: 'no curl, and nobody may stand in', see: { ...one({ lacksCurl: true }), missing: noPods }, says: 'stop shop/web: .*may not create pods' },
  { when: 'no curl, and who stands in is refused', see: one({ lacksCurl: true, standInRefused: refused('no such image') }), says: 'stop shop/web: .*is refused: no such image' },
]) // biome-ignore format: a table

test('what the inventory lets a tenant accept are checks', () => {
  for (const name of acceptable) assert.ok(names.includes(name), name)
})

test('what a tenant accepts is told and stops nothing; stops come first', () => {
  const see = sight({
    ...one({ spec: { strategy: { type: 'Recreate' } }, template: { hostNetwork: true } }),
    unread: ['Services'],
  })
  const told = (accept: string[]) => judge([{ sight: see, accept }]).map(it => `${it.level} ${it.check}`)
  assert.equal(told([]), ['stop host-network', 'stop outage', 'note rights'])
  assert.equal(told(['outage']), ['stop host-network', 'note outage', 'note rights'])
})

test('what could not work stops, whoever accepts it', () => {
  const told = (see: Sight) => judge([{ sight: see, accept: ['standstill'] }]).map(it => `${it.level} ${it.check}`)
  assert.equal(told(sight(one({ spec: { paused: true } }))), ['stop standstill'])
  assert.equal(told(sight(one({ metadata: { deletionTimestamp: '2026-01-01' } }))), ['stop standstill'])
  assert.ok(told(sight(one({ spec: { replicas: 0 } }))).includes('note standstill'))
})
