import * as assert from 'uvu/assert'
import { refuseFound, surveyAll, tellFound } from '../../src/cli/guard.ts'
import type { Staged } from '../../src/cli/staged.ts'
import { Problem, Problems } from '../../src/engine/problem.ts'
import type { KubeObject } from '../../src/rollout/kube/object.ts'
import { startCluster } from '../rollout/cluster.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('cli/guard')
let cluster: Awaited<ReturnType<typeof startCluster>>
before(async () => {
  cluster = await startCluster()
})
after(() => cluster?.close())

const workload = { kind: 'Deployment', name: 'api' }
const deployment = (name: string, container: object): KubeObject => ({
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'default' } },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'app', image: 'a:1', ...container }] },
    },
  },
})

/** A rollout of one workload; `moving`: the plan would change it. */
const staged = (moving: boolean) => {
  const said: string[] = []
  const tenant = {
    ...{ tenant: 'a', namespace: 'default' },
    egress: {
      through: 'address',
      proxy: { privateIp: '172.16.28.8', port: 3128 },
      proxies: [{ privateIp: '172.16.28.8' }],
    },
  }
  const ranges = { podCidr: '100.64.0.0/15', serviceCidr: '10.32.0.0/20' }
  const context = { cluster: { kubeconfig: cluster.kubeconfig, ...ranges }, tenants: [tenant] }
  const output = { say: (line: string) => said.push(line) }
  const phases = [{ name: 'canary', desired: [{ id: 'api' }], moves: [{ tenant, workload }] }]
  const seen = new Map([['api', { step: moving ? {} : null }]])
  const it = { session: { context, output, clients: cluster.clients }, site: { phases, ids: {} }, plan: { seen } }
  return { staged: it as unknown as Staged, said }
}

const refused = async (it: Staged): Promise<string[]> => {
  try {
    await refuseFound(it)
    return []
  } catch (thrown) {
    if (thrown instanceof Problem) return [thrown.message]
    if (thrown instanceof Problems) return thrown.all.map(one => one.message).sort()
    throw thrown
  }
}

test('what a rollout sets itself does not stand in its way', async () => {
  const env = [{ name: 'HTTPS_PROXY', value: 'http://172.16.28.8:3128' }]
  await cluster.kube.create(deployment('api', { env }))
  assert.equal(await refused(staged(true).staged), [])
  await cluster.kube.create(deployment('other', { env }))
  const other = ["Deployment default/other: sending the cluster's own traffic by the proxy is forbidden"]
  assert.equal(await refused(staged(true).staged), other, 'and nobody mends one that is not moved')
})

test('what is forbidden is refused before anything moves, all at once; it holds up nothing else', async () => {
  await cluster.kube.create(deployment('router', { securityContext: { privileged: true } }))
  assert.equal(await refused(staged(true).staged), [
    "Deployment default/other: sending the cluster's own traffic by the proxy is forbidden",
    'Deployment default/router: a privileged container is forbidden',
  ])
  assert.equal(await refused(staged(false).staged), [])
})

test('where nothing is changed it is told', async () => {
  const { staged: it, said } = staged(true)
  tellFound(it, await surveyAll(it))
  assert.is(said.length, 3)
  assert.ok(
    said.some(line => line.startsWith('note: Deployment default/router: a privileged container is forbidden: ')),
  )
})
