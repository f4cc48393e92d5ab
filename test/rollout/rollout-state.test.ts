import * as assert from 'uvu/assert'
import { isRolledOut, rolloutState } from '../../src/rollout/rollout-state.ts'
import { type ContainerStatus, type Pod, queryOf, type Workload } from '../../src/rollout/workload.ts'
import { deployment as of, type ReplicaSet, sortPods } from '../../src/rollout/workloads/deployment.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('rollout/rollout-state')

const deployment = (status: Workload['status'], spec: Partial<Workload['spec']> = {}): Workload => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', uid: 'd', generation: 2, annotations: { 'deployment.kubernetes.io/revision': '2' } },
  spec: { replicas: 1, selector: {}, template: { spec: { containers: [] } }, ...spec },
  status: { observedGeneration: 2, ...status },
})

const pod = (name: string, status: Partial<ContainerStatus> = {}, ready = true, owner = 'rs2'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: owner }] },
  spec: { containers: [] },
  status: {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    containerStatuses: [{ name: 'c', ready, restartCount: 0, ...status }],
  },
})

const full = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 }
const crashed = { restartCount: 2, lastState: { terminated: { exitCode: 3 } } }

for (const { when, of: workload, current, old = [], baseline = {}, state } of [
  { when: 'all new and ready', of: deployment(full), current: [pod('n')], state: 'done' },
  { when: 'not yet seen', of: deployment({ ...full, observedGeneration: 1 }), current: [pod('n')], state: 'waiting' },
  { when: 'paused', of: deployment(full, { paused: true }), current: [pod('n')], state: 'stuck' },
  { when: 'no new pod yet', of: deployment({ replicas: 1 }), current: [], state: 'waiting' },
  { when: 'new, not ready', of: deployment(full), current: [pod('n', {}, false)], state: 'waiting' },
  { when: 'not available', of: deployment({ ...full, availableReplicas: 0 }), current: [pod('n')], state: 'waiting' },
  { when: 'an old pod leaves', of: deployment(full), current: [pod('n')], old: [pod('o')], state: 'waiting' },
  { when: 'counted, not listed', of: deployment({ ...full, replicas: 2 }), current: [pod('n')], state: 'waiting' },
  { when: 'one restart', of: deployment(full), current: [pod('n', { restartCount: 1 })], state: 'done' },
  { when: 'two restarts', of: deployment(full), current: [pod('n', crashed)], state: 'crashed' },
  {
    when: 'two restarts, long ago',
    of: deployment(full),
    current: [pod('n', crashed)],
    baseline: { 'n/c': 2 },
    state: 'done',
  },
  {
    when: 'two more',
    of: deployment(full),
    current: [pod('n', { restartCount: 4 })],
    baseline: { 'n/c': 2 },
    state: 'crashed',
  },
  {
    when: 'backing off',
    of: deployment(full),
    current: [pod('n', { restartCount: 1, state: { waiting: { reason: 'CrashLoopBackOff' } } })],
    state: 'crashed',
  },
  { when: 'an old pod crashes', of: deployment(full), current: [pod('n')], old: [pod('o', crashed)], state: 'waiting' },
  {
    when: 'past its deadline',
    of: deployment({
      ...full,
      availableReplicas: 0,
      conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }],
    }),
    current: [],
    state: 'stuck',
  },
  { when: 'scaled to zero', of: deployment({}, { replicas: 0 }), current: [], state: 'done' },
]) {
  test(`${when}: ${state}`, () => {
    const judged = rolloutState({ of, workload, current, old }, new Map(Object.entries(baseline)))
    assert.is(judged.state, state)
  })
}

test('a crash tells its exit code', () => {
  const judged = rolloutState({ of, workload: deployment(full), current: [pod('n', crashed)], old: [] }, new Map())
  assert.equal(judged, {
    state: 'crashed',
    pod: 'n',
    container: 'c',
    exitCode: 3,
    restarts: 2,
    reason: 'it keeps restarting',
  })
})

test('waiting says which pod and why', () => {
  const unready = pod('n', { state: { waiting: { reason: 'ImagePullBackOff' } } }, false)
  const judged = rolloutState({ of, workload: deployment(full), current: [unready], old: [] }, new Map())
  assert.equal(judged, { state: 'waiting', what: '0/1 ready pods (n: ImagePullBackOff)' })
})

test('pods are told apart by their ReplicaSet, whatever their labels', () => {
  const set = (uid: string, revision: string, owner = 'd'): ReplicaSet => ({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: uid,
      uid,
      annotations: { 'deployment.kubernetes.io/revision': revision },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: owner }],
    },
  })
  const sets = [set('rs1', '1'), set('rs2', '2'), set('alien', '2', 'other')]
  const pods = [pod('a', {}, true, 'rs1'), pod('b', {}, true, 'rs2'), pod('c', {}, true, 'alien')]
  const { current, old } = sortPods(deployment(full), sets, pods)
  assert.equal(
    current.map(it => it.metadata.name),
    ['b'],
  )
  assert.equal(
    old.map(it => it.metadata.name),
    ['a'],
  )
})

test('rolled out is about the template, not about health', () => {
  assert.is(isRolledOut({ of, workload: deployment({ ...full, readyReplicas: 0 }) }), true)
  assert.is(isRolledOut({ of, workload: deployment({ ...full, replicas: 2 }) }), false)
  assert.is(isRolledOut({ of, workload: deployment({ ...full, observedGeneration: 1 }) }), false)
})

for (const { selector, query } of [
  { selector: { matchLabels: { app: 'web', tier: 'x' } }, query: 'app=web,tier=x' },
  {
    selector: {
      matchExpressions: [
        { key: 'a', operator: 'In' as const, values: ['1', '2'] },
        { key: 'b', operator: 'NotIn' as const, values: ['3'] },
        { key: 'c', operator: 'Exists' as const },
        { key: 'd', operator: 'DoesNotExist' as const },
      ],
    },
    query: 'a in (1,2),b notin (3),c,!d',
  },
])
  test(`a selector asked for as ${query}`, () => assert.is(queryOf(selector), query))
