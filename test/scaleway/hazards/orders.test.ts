import * as assert from 'uvu/assert'
import { site } from '../../../playbooks/site.ts'
import { graphOf } from '../../../src/engine/graph.ts'
import { loadContext } from '../../../src/inventory/load.ts'
import { listOwned } from '../../../src/scaleway/leftovers.ts'
import { root } from '../../inventory/edited.ts'
import { suite } from '../../support/suite.ts'
import { census, deploy, report } from '../network.ts'
import { removeAll } from '../remove-all.ts'
import { stage } from './stage.ts'

const { test, after } = suite('hazards/orders')
const open = stage({ after })

/** For each kind of the cloud, the kinds that must be there before. */
const above = async () => {
  const context = await loadContext('sandbox', { root })
  const { cloud } = site(context, { operatorKey: 'ssh-ed25519 AAAA', kubeconfig: '/nowhere' })
  const { parents } = graphOf(cloud)
  const up = (id: string): string[] => (parents.get(id) ?? []).flatMap(it => [it, ...up(it)])
  return new Map(cloud.map(it => [it.kind.name, new Set(up(it.id).map(id => id.split('/')[0]))]))
}

for (const [kind, first] of Object.entries({
  'private-network': ['vpc'],
  'ipam-address': ['private-network'],
  gateway: ['gateway-ip'],
  'gateway-network': ['gateway', 'private-network', 'ipam-address'],
  server: ['ipam-address', 'security-group', 'flexible-ip', 'ssh-key'],
  cluster: ['private-network'],
  pool: ['cluster', 'gateway-network'],
  kubeconfig: ['cluster', 'pool'],
}))
  test(`a ${kind} comes after ${first.join(', ')}`, async () => {
    const all = (await above()).get(kind)
    for (const it of first) assert.ok(all?.has(it), `${kind} does not wait for ${it}`)
  })

test('gateway, server and cluster do not wait for each other', async () => {
  const all = await above()
  assert.not.ok(all.get('gateway')?.has('server'))
  assert.not.ok(all.get('server')?.has('gateway-network'))
  assert.not.ok(all.get('cluster')?.has('gateway'))
})

test('things go in the documented order, each when what lives in it is gone', async () => {
  const { clients, trace, wishes } = await open()
  await deploy(await clients(), wishes())
  trace.clear()
  const scaleway = await clients()
  await removeAll(scaleway, await listOwned(scaleway), report)
  const calls = trace.calls()
  const gone = (path: RegExp) =>
    calls.findLastIndex(it => path.test(it.path) && (it.method === 'DELETE' ? it.status < 400 : it.status === 404))
  const begun = (method: string, path: RegExp) => calls.findIndex(it => it.method === method && path.test(it.path))
  for (const [before, method, path] of [
    [/\/pools\//, 'DELETE', /\/clusters\//],
    [/\/servers\/[^/]*$/, 'DELETE', /\/volumes\//],
    [/\/servers\/[^/]*$/, 'DELETE', /\/instance\/.*\/ips\//],
    [/\/gateway-networks\//, 'DELETE', /\/gateways\//],
    [/\/gateways\//, 'DELETE', /\/vpc-gw\/.*\/ips\//],
    [/\/servers\/[^/]*$/, 'DELETE', /\/ipam\//],
    [/\/clusters\//, 'DELETE', /\/private-networks\//],
    [/\/ipam\/.*\/ips\//, 'DELETE', /\/private-networks\//],
    [/\/private-networks\//, 'DELETE', /\/vpcs\//],
  ] as [RegExp, string, RegExp][]) {
    const [end, begin] = [gone(before), begun(method, path)]
    assert.ok(end >= 0 && begin >= 0, `${before} or ${path} was never deleted`)
    assert.ok(end < begin, `${path} was begun before ${before} was gone`)
  }
  const left = Object.entries(await census(scaleway)).filter(([, count]) => count > 0)
  assert.equal(left, [])
})
