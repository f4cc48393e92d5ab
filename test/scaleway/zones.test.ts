import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { listOwned } from '../../src/scaleway/leftovers.ts'
import { securityGroupKind } from '../../src/scaleway/security-group.ts'
import { suite } from '../support/suite.ts'
import { oneStage } from './hazards/stage.ts'
import { census, deploy, drift, report } from './network.ts'
import { removeAll } from './remove-all.ts'

const { test, before, after } = suite('scaleway/zones')

const cloud = oneStage({ before, after })

const wishes = (zone?: string) => cloud.wishes(zone ? { zone } : {})

test('a second zone of the region holds gateway, proxy and pool, and is looked into', async () => {
  const two = () => cloud.clients('sandbox', {}, { zones: ['fr-par-2'] })
  const { lives } = await deploy(await two(), wishes('fr-par-2'))
  for (const kind of ['gateway-ip', 'gateway', 'gateway-network', 'security-group', 'flexible-ip', 'server', 'pool'])
    assert.is(lives[kind].zone, 'fr-par-2', kind)
  const again = await two()
  assert.equal(await drift(again, wishes('fr-par-2')), [])
})

test('a zone changed in the inventory finds what stands in the old one, and replaces it', async () => {
  const one = await cloud.clients()
  const { done } = await deploy(one, wishes('fr-par-1'))
  assert.equal(
    done.filter(it => it.action).map(it => `${it.action} ${it.kind.name}`),
    [
      'replace gateway-ip',
      // gone with its address, which it would have kept
      'create gateway',
      'create gateway-network',
      'create security-group',
      'replace flexible-ip',
      'replace server',
      'replace pool',
    ],
  )
  assert.equal(await drift(await cloud.clients(), wishes('fr-par-1')), [])
})

test('what the old zone has kept is found and removed', async () => {
  const owned = await listOwned(await cloud.clients())
  assert.equal(
    owned.filter(it => it.kind === 'security-group').map(it => it.zone),
    ['fr-par-1', 'fr-par-2'],
  )
  assert.equal(
    owned.filter(it => it.zone === 'fr-par-2').map(it => it.kind),
    ['security-group'],
  )
  const clients = await cloud.clients()
  await removeAll(clients, owned, report)
  assert.equal(await listOwned(await cloud.clients()), [])
  const left = Object.entries(await census(await cloud.clients())).filter(([, count]) => count > 0)
  assert.equal(left, [])
})

test('a security group that lost its context is told in its own zone, and in no other', async () => {
  const scaleway = await cloud.clients('sandbox', {}, { zones: ['fr-par-2'] })
  const there = scaleway.at('fr-par-2').instance
  const lost = { name: 'egress-proxy', tags: ['kapsule-egress', 'egress-name=egress-proxy'] }
  const policies = { stateful: true, inboundDefaultPolicy: 'drop', outboundDefaultPolicy: 'accept' } as const
  const { securityGroup } = await there.createSecurityGroup({ ...lost, ...policies, description: '' })
  const want = { name: 'egress-proxy', inboundDefault: 'drop', outboundDefault: 'accept', rules: [] } as const
  const planned = (zone: string) =>
    securityGroupKind.read({ ...want, rules: [], zone }, scaleway, { ...report, planning: true }).catch(it => it)
  assert.is(await planned('fr-par-1'), null)
  assert.match((await planned('fr-par-2'))?.message ?? '', /has lost the tag of its context/)
  await there.deleteSecurityGroup({ securityGroupId: securityGroup?.id ?? '' })
})

test('another region is another context: neither sees what the other has', async () => {
  const here = () => cloud.clients('paris')
  const there = () => cloud.clients('amsterdam', {}, { region: 'nl-ams' })
  const [paris, amsterdam] = [wishes(), { ...wishes(), kubeconfig: join(cloud.dir, 'amsterdam'), cluster: 'other' }]
  await deploy(await here(), paris)
  assert.ok((await drift(await there(), amsterdam).catch(() => ['create'])).length > 0)
  await deploy(await there(), amsterdam)
  assert.equal(await drift(await here(), paris), [])
  assert.equal(await drift(await there(), amsterdam), [])
  const before = await listOwned(await here())
  await removeAll(await there(), await listOwned(await there()), report)
  assert.equal(await listOwned(await here()), before)
  assert.equal(await drift(await here(), paris), [])
  await removeAll(await here(), before, report)
})
