import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { letIn, listEntries, takeOut } from '../../src/rollout/allowlist/entries.ts'
import { accessList } from '../../src/scaleway/access-lists.ts'
import { report } from '../rollout/cluster.ts'
import { suite } from '../support/suite.ts'
import { type Emulated, emulated } from './emulated.ts'

const { test, before, after } = suite('scaleway: lists of others, entry by entry')

let cloud: Emulated
let made = 0
before(async () => {
  cloud = await emulated()
})
after(() => cloud.close())

const OURS = { range: '203.0.113.9/32', description: 'kapsule-egress sandbox/client-a' }
const told = () => ({ ...report(), what: 'the list' })

/** Makes one with the SDK, ready, and gives its list. */
const lists = {
  'scaleway-rdb': async () => {
    const { rdb } = await cloud.clients()
    const it = await rdb.createInstance({
      ...{ engine: 'PostgreSQL-16', nodeType: 'db-dev-s', userName: 'u', password: 'P4ss!word', name: 'theirs' },
      ...{ isHaCluster: false, disableBackup: true, volumeType: 'lssd', volumeSize: 0, backupSameRegion: false },
      encryption: { enabled: false },
    })
    assert.is(it.status, 'provisioning')
    return { provider: 'scaleway-rdb' as const, instance: it.id }
  },
  kapsule: async () => {
    const { k8s, vpc } = await cloud.clients()
    const network = await vpc.createPrivateNetwork({ name: 'theirs', defaultRoutePropagationEnabled: false })
    const version = (await k8s.listVersions()).versions.find(it => it.name.startsWith('1.34.'))?.name ?? ''
    const it = await k8s.createCluster({
      ...{ name: `theirs-${++made}`, description: '', version, cni: 'cilium' as const, type: 'kapsule' },
      privateNetworkId: network.id,
    })
    return { provider: 'kapsule' as const, cluster: it.id }
  },
}

for (const [provider, make] of Object.entries(lists)) {
  test(`${provider}: let in beside what is there, read back once it is in force, and out again`, async () => {
    const firewall = accessList(() => cloud.clients(), await make())
    const first = await listEntries(firewall, told())
    assert.equal(first.map(it => it.range), ['0.0.0.0/0']) // biome-ignore format: one line
    const tell = told()
    const both = await letIn(firewall, OURS, tell)
    assert.equal(both.map(it => it.range), ['0.0.0.0/0', OURS.range]) // biome-ignore format: one line
    assert.is(both[1]!.description, OURS.description)
    const narrow = await takeOut(firewall, { range: '0.0.0.0/0', keep: [OURS.range] }, told())
    assert.equal(narrow, [OURS])
    assert.equal(await letIn(firewall, first[0]!, told()).then(all => all.length), 2)
    assert.equal(tell.parts, [`let ${OURS.range} in`, `${OURS.range} is let in`])
  })

  for (const cut of ['before', 'after'] as const)
    test(`${provider}: an answer that is lost ${cut} its effect changes nothing about the end`, async () => {
      const firewall = accessList(() => cloud.clients(), await make())
      await listEntries(firewall, told())
      const on = { method: 'POST', path: '/*/v1/regions/*/*/*/acls' }
      cloud.conditions.set({ faults: [{ on, times: 1, do: { cut } }] })
      const all = await letIn(firewall, OURS, told())
      cloud.conditions.clear()
      assert.is(all.filter(it => it.range === OURS.range).length, 1)
    })
}

test('a list that is not there is told as such, at once', async () => {
  const instance = '11111111-2222-4333-8444-555555555555'
  const firewall = accessList(() => cloud.clients(), { provider: 'scaleway-rdb', instance })
  let thrown: unknown
  await listEntries(firewall, told()).catch(error => {
    thrown = error
  })
  assert.instance(thrown, Problem)
  assert.match((thrown as Problem).message, new RegExp(`${instance}/acls`))
})
