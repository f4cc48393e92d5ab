import * as assert from 'uvu/assert'
import { foundIn, survey } from '../../src/rollout/guard/survey.ts'
import type { Kube } from '../../src/rollout/kube/kube.ts'
import type { KubeObject } from '../../src/rollout/kube/object.ts'
import { KubeProblem } from '../../src/rollout/kube/problem.ts'
import { suite } from '../support/suite.ts'
import { startCluster } from './cluster.ts'

const { test, before, after } = suite('rollout/guard: survey')
let cluster: Awaited<ReturnType<typeof startCluster>>
before(async () => {
  cluster = await startCluster()
})
after(() => cluster?.close())

const privileged = { name: 'router', image: 'router:1', securityContext: { privileged: true } }
const daemon = (containers: object[]) =>
  ({
    ...{ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'router', namespace: 'default' } },
    spec: {
      selector: { matchLabels: { app: 'router' } },
      template: {
        metadata: { labels: { app: 'router' } },
        spec: { containers, tolerations: [{ operator: 'Exists' }] },
      },
    },
  }) as unknown as KubeObject
const pod = (name: string, owner: string, containers: object[]): KubeObject =>
  ({
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: {
      name,
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: owner, controller: true }],
    },
    spec: { containers },
  }) as unknown as KubeObject

test('what is forbidden is found in a namespace, and told of what made it', async () => {
  await cluster.kube.create(daemon([privileged]))
  for (let tries = 0; ; tries++) {
    const { items } = await cluster.kube.list({ apiVersion: 'v1', kind: 'Pod', namespace: 'default' })
    if (items.length > 0) break
    assert.ok(tries < 400, 'its pod was not made')
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  const { found, unseen } = await survey(cluster.kube, 'default', {})
  assert.equal(unseen, [])
  assert.equal(
    found.map(it => `${it.object}: ${it.what}`),
    ['DaemonSet default/router: a privileged container'],
  )
  assert.equal((await survey(cluster.kube, 'egress-system', {})).found, [], 'a namespace that is not there has nothing')
})

test('what was put into pods on their way is told of one of them', () => {
  const app = { name: 'app', image: 'app:1' }
  const mesh = { name: 'mesh', image: 'mesh:1', securityContext: { capabilities: { add: ['NET_ADMIN'] } } }
  const found = foundIn([pod('a-1', 'a', [app, mesh]), pod('a-2', 'a', [app, mesh]), pod('b-1', 'b', [app, mesh])], {})
  assert.equal(
    found.map(it => it.object),
    ['Pod a-1', 'Pod b-1'],
  )
})

test('what may not be looked at is said, and what a cluster does not have is nothing', async () => {
  const refused = new KubeProblem('list', 'user may not list', '', 403)
  const list: Kube['list'] = async ({ kind }) => {
    if (kind === 'CronJob') throw new KubeProblem('list', 'no such kind', '', 404)
    throw refused
  }
  const { found, unseen } = await survey({ list } as Kube, 'default', {})
  assert.equal(found, [])
  assert.equal(unseen, ['ConfigMap, DaemonSet, Deployment, Job, Pod, StatefulSet: user may not list'])
})
