import * as assert from 'uvu/assert'
import { lineOf } from '../../src/cli/rollout/gates.ts'
import { crashedSince } from '../../src/cli/rollout/since-moved.ts'
import { suite } from '../support/suite.ts'
import { stagedWith } from './staged.ts'

const { test } = suite('cli: what moved earlier in a run')

const at = { name: 'proxy-a', privateIp: '192.0.2.1', port: 3128 }
const tenant = {
  ...{ tenant: 'a', namespace: 'a-demo', rollout: {} },
  egress: { proxy: at, proxies: [at], through: 'address' },
}
const moves = { namespace: 'a-demo', kind: 'StatefulSet' as const, name: 'web' }

/** One pod of the new template, with so many restarts in all. */
const stage = async (status: object) => {
  const staged = await stagedWith([])
  const metadata = { name: 'web', namespace: 'a-demo', uid: 'u' }
  const spec = { replicas: 1, updateStrategy: { type: 'RollingUpdate' }, template: { spec: { containers: [] } } }
  const owned = { labels: { 'controller-revision-hash': 'b' }, ownerReferences: [{ uid: 'u' }] }
  const pod = { metadata: { name: 'web-0', ...owned }, status: { containerStatuses: [{ name: 'c', ...status }] } }
  const kube = {
    get: async () => ({ kind: 'StatefulSet', metadata, spec, status: { updateRevision: 'b' } }),
    list: async () => ({ items: [pod] }),
    logs: async () => 'no way out for me',
  }
  Object.assign(staged.session, {
    context: {
      verify: { echo: [], forbidden: '', probeImage: 'curl' },
      cluster: { podCidr: '', serviceCidr: '' },
      tenants: [tenant],
    },
    clients: { kube: () => kube },
    root: '/',
    run: 'r',
  })
  Object.assign(staged.site, { ids: {} })
  return staged
}

const running = { state: { running: {} }, lastState: { terminated: { exitCode: 4 } } }
for (const { when, status, before, says } of [
  { when: 'a second restart since its move', status: { restartCount: 2, ...running }, before: 0, says: true },
  { when: 'a first one', status: { restartCount: 1, ...running }, before: 0, says: false },
  { when: 'restarts from before its move', status: { restartCount: 9, ...running }, before: 8, says: false },
  { when: 'a pod that starts', status: { restartCount: 0, state: { waiting: {} } }, before: 0, says: false },
  {
    when: 'it waits to be started again',
    status: { restartCount: 1, state: { waiting: { reason: 'CrashLoopBackOff' } } },
    before: 0,
    says: true,
  },
]) {
  test(`${when}: ${says ? 'it crashes' : 'nothing is said'}`, async () => {
    const told: string[] = []
    const noted = { group: 'rollout/canary', tenant: 'a', workload: 'statefulset/web', moves }
    const earlier = [{ ...noted, restarts: { 'web-0/c': before } }]
    const found = await crashedSince(await stage(status), earlier, { onResult: it => told.push(lineOf(it)) })
    assert.is(found.length, says ? 1 : 0)
    assert.equal(told, says ? ['a/statefulset/web: pods ready and not restarting: fail'] : [])
  })
}
