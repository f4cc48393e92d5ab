import * as assert from 'uvu/assert'
import { findKubectl } from '../support/kubectl.ts'
import { suite } from '../support/suite.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { deployment } from './objects.ts'

const { test, before, after } = suite('cluster: kubectl')
let cluster: Cluster
before(async () => {
  cluster = await openCluster('kubectl')
})
after(() => cluster?.close())

const found = findKubectl()
const yaml = (more: object = {}) => JSON.stringify(deployment('web', more))
const web = async () => (await cluster.call('GET', cluster.path('apps/v1', 'deployments', 'web'))).body

/** What kubectl is asked in order, what it says, and its exit code where that is not 0. */
const steps: [line: string, says: RegExp, input?: string, code?: number][] = [
  ['apply -f -', /^deployment\.apps\/web created$/, yaml()],
  ['apply -f -', /^deployment\.apps\/web unchanged$/, yaml()],
  ['diff -f -', /\+ {2}minReadySeconds: 3/, yaml({ minReadySeconds: 3 }), 1],
  ['apply -f -', /^deployment\.apps\/web configured$/, yaml({ minReadySeconds: 3 })],
  ['apply -f -', /^deployment\.apps\/web configured$/, yaml()],
  ['apply --server-side --field-manager=anna -f -', /conflict/, yaml({ minReadySeconds: 5, replicas: 1 }), 1],
  ['label deployment web egress-test=yes', /^deployment\.apps\/web labeled$/],
  ['get deployments -l egress-test=yes', /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +0\/0 +0 +0 +\d+s$/],
  ['get deployment web -o jsonpath={.spec.replicas}', /^0$/],
  ['patch deployment web --type merge -p {"spec":{"minReadySeconds":4}}', /^deployment\.apps\/web patched$/],
  ['rollout status deployment web --timeout=30s', /successfully rolled out/],
  ['scale deployment web --replicas=0', /^deployment\.apps\/web scaled$/],
  ['auth can-i delete deployments', /^yes$/],
  ['auth can-i list secrets --as=system:serviceaccount:default:nobody', /^no$/, '', 1],
  ['get frobs', /the server doesn't have a resource type "frobs"/, '', 1],
  ['get configmap never', /Error from server \(NotFound\): configmaps "never" not found/, '', 1],
  ['delete deployment web --timeout=30s', /^deployment\.apps "web" deleted/],
]

if (found.path !== undefined)
  test('apply, diff, label, get, patch, scale, rollout status, can-i, delete', async () => {
    for (const [line, says, input = '', code = 0] of steps) {
      const { exitCode, stdout, stderr } = await cluster.kubectl(line, input)
      assert.match(`${stdout}${stderr}`.trim(), says, line)
      assert.is(exitCode, code, `${line}: ${stderr}`)
    }
    assert.is((await web()).code, 404)
  })
else test('kubectl', () => console.log(`skipped, kubectl: ${found.why}`))
