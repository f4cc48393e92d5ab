import * as assert from 'uvu/assert'
import { eyesOn } from '../../src/rollout/eyes.ts'
import type { Concern } from '../../src/rollout/kube/follow.ts'
import type { Kube } from '../../src/rollout/kube/kube.ts'
import type { KubeObject } from '../../src/rollout/kube/object.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('rollout: what an eye on a workload sees')

/** Whether the eyes on a Deployment of two look anew when they hear of an object. */
const concerned = (kind: string, object: object, isGone = false): boolean => {
  const concerns = new Map<string, Concern>()
  const eye = { clear() {}, next: async () => undefined, close() {} }
  const follow = (what: { kind: string }, concern: Concern) => {
    concerns.set(what.kind, concern)
    return eye
  }
  eyesOn({ follow } as unknown as Kube, { kind: 'Deployment', namespace: 'n', name: 'web' })
  return concerns.get(kind)!({ kind, ...object } as KubeObject, isGone)
}

const deployment = (status: object, { name = 'web', paused = false } = {}) => ({
  metadata: { name, generation: 2 },
  spec: { replicas: 2, paused },
  status: { observedGeneration: 2, replicas: 3, updatedReplicas: 2, ...status },
})
const stuck = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }

for (const { when, object, sees } of [
  { when: 'on its way', object: deployment({}), sees: false },
  { when: 'all pods are of the new template', object: deployment({ replicas: 2 }), sees: true },
  { when: 'of the template before', object: deployment({ replicas: 2, observedGeneration: 1 }), sees: false },
  { when: 'past its deadline', object: deployment({ conditions: [stuck] }), sees: true },
  { when: 'paused', object: deployment({}, { paused: true }), sees: true },
  { when: 'another one', object: deployment({ replicas: 2 }, { name: 'web-2' }), sees: false },
])
  test(`a Deployment: ${when}`, () => assert.is(concerned('Deployment', object), sees))

test('one that was deleted', () => assert.ok(concerned('Deployment', deployment({}), true)))

const pod = (status: object, metadata: object = {}) => ({
  metadata: { name: 'web-5-1', ownerReferences: [{ kind: 'ReplicaSet', name: 'web-5' }], ...metadata },
  status: { containerStatuses: [{ name: 'c', ready: false, restartCount: 0, ...status }] },
})

for (const { when, object, sees } of [
  { when: 'made', object: pod({ state: { waiting: { reason: 'ContainerCreating' } } }), sees: false },
  { when: 'started', object: pod({ state: { running: {} } }), sees: false },
  { when: 'ready, which its Deployment will say', object: pod({ ready: true }), sees: false },
  { when: 'started again', object: pod({ restartCount: 1 }), sees: true },
  { when: 'given up for a while', object: pod({ state: { waiting: { reason: 'CrashLoopBackOff' } } }), sees: true },
  { when: 'on its way out', object: pod({}, { deletionTimestamp: '2026-11-21T20:00:00Z' }), sees: true },
  { when: "another's", object: pod({ restartCount: 1 }, { ownerReferences: [] }), sees: false },
])
  test(`a pod: ${when}`, () => assert.is(concerned('Pod', object), sees))

test('one that is gone', () => assert.ok(concerned('Pod', pod({}), true)))
