import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { flexibleIpKind } from '../../src/scaleway/flexible-ip.ts'
import { listOwned } from '../../src/scaleway/leftovers.ts'
import { suite } from '../support/suite.ts'
import { oneStage } from './hazards/stage.ts'
import { census, deploy, drift, report, undo } from './network.ts'
import { removeAll } from './remove-all.ts'

const { test, before, after } = suite('scaleway/kinds')

const cloud = oneStage({ before, after })

const wishes: typeof cloud.wishes = more => cloud.wishes(more)
const empty = async () => {
  const numbers = await census(await cloud.clients())
  assert.equal(Object.fromEntries(Object.entries(numbers).filter(([, count]) => count > 0)), {})
}

test('makes one of everything, gives what later stages need, and finds nothing to do again', async () => {
  const clients = await cloud.clients()
  const { lives, done } = await deploy(clients, wishes())
  assert.ok(done.every(it => it.action === 'create'))
  assert.is(lives['ipam-address'].address, '172.16.28.8')
  assert.is(lives.server.privateIp, '172.16.28.8')
  assert.is(lives.server.publicIp, lives['flexible-ip'].address)
  assert.ok(lives.server.hostKey)
  assert.match(lives.cluster.version, /^1\.34\./)
  assert.is(lives.pool.nodes.length, 1)
  assert.match(lives.pool.nodes[0].address, /^172\.16\./)
  assert.match(lives.kubeconfig.server, /^https:\/\/127\.0\.0\.1/)
  assert.not.match(JSON.stringify(done), /PRIVATE KEY|very-secret-token/)

  const again = await cloud.clients()
  assert.equal(await drift(again, wishes()), [])
  assert.ok(again.calls() <= 22, `a plan that finds nothing took ${again.calls()} calls`)
})

test('writes the kubeconfig for its owner only', async () => {
  assert.is((await stat(wishes().kubeconfig)).mode & 0o777, 0o600)
  assert.match(await readFile(wishes().kubeconfig, 'utf8'), /very-secret-token/)
})

test('lists what it owns in the order in which it can go', async () => {
  const owned = await listOwned(await cloud.clients())
  assert.equal(
    owned.map(it => it.kind),
    'pool cluster server flexible-ip security-group gateway-network gateway gateway-ip ipam-address private-network vpc ssh-key'.split(
      ' ',
    ),
  )
  assert.equal(await listOwned(await cloud.clients('sandbox-2')), [])
})

test('changes in place, and takes the changes back', async () => {
  const clients = await cloud.clients()
  const other = wishes({ sshFrom: '0.0.0.0/0', poolSize: 2, label: 'other', bastionFrom: '0.0.0.0/0' })
  const { lives, done } = await deploy(clients, other)
  assert.equal(
    done.filter(it => it.action).map(it => `${it.action} ${it.kind.name}`),
    ['update gateway', 'update security-group', 'update pool'],
  )
  assert.is(lives.pool.nodes.length, 2)
  assert.equal(await drift(await cloud.clients(), other), [])
  await undo(clients, done)
  assert.equal(await drift(await cloud.clients(), wishes()), [])
})

test('replaces a server whose user data changed, and keeps its addresses', async () => {
  const clients = await cloud.clients()
  const old = (await deploy(clients, wishes())).lives.server
  const { lives, done } = await deploy(clients, wishes({ motd: 'changed' }))
  assert.equal(
    done.filter(it => it.action).map(it => `${it.action} ${it.kind.name}`),
    ['replace server'],
  )
  const { id, hostKey, publicIp, privateIp } = lives.server
  assert.is.not(id, old.id)
  assert.is.not(hostKey, old.hostKey)
  assert.equal({ publicIp, privateIp }, { publicIp: old.publicIp, privateIp: old.privateIp })
  assert.equal(await drift(await cloud.clients(), wishes({ motd: 'changed' })), [])
  await deploy(clients, wishes())
})

test('gives a server more addresses beside its own, and takes them back', async () => {
  const clients = await cloud.clients()
  const own = (await deploy(clients, wishes())).lives.server
  const names = ['client-b', 'client-c', 'client-d', 'client-e']
  const made = []
  for (const name of names) made.push(await flexibleIpKind.apply({ name }, clients, null, report))
  const more = made.map(it => it.id)
  const { lives, done } = await deploy(clients, wishes({ more }))
  assert.equal(
    done.filter(it => it.action).map(it => `${it.action} ${it.kind.name}`),
    ['update server'],
  )
  const { id, publicIp, moreFlexibleIpIds } = lives.server
  assert.equal([id, publicIp, moreFlexibleIpIds], [own.id, own.publicIp, [...more].sort()])
  assert.equal(await drift(await cloud.clients(), wishes({ more: [...more].reverse() })), [])
  // One that lost its name is still not taken for another of the same server.
  const [first, second] = made
  await clients.instance.updateIp({ ip: first!.id, tags: [] })
  assert.is((await flexibleIpKind.read({ name: 'client-c' }, await cloud.clients(), report))?.id, second!.id)
  const sixth = await flexibleIpKind.apply({ name: 'client-f' }, clients, null, report)
  const tooMany = await deploy(clients, wishes({ more: [...more, sixth.id] })).catch(it => it)
  assert.instance(tooMany, Error)
  await undo(await cloud.clients(), done)
  assert.equal(await drift(await cloud.clients(), wishes()), [])
  assert.is((await deploy(await cloud.clients(), wishes())).lives.server.moreFlexibleIpIds, undefined)
  for (const { id: ip } of [...made, sixth]) await clients.instance.deleteIp({ ip })
})

test('brings back what a hand at the console took away', async () => {
  const clients = await cloud.clients()
  const { lives } = await deploy(clients, wishes())
  const serverId = lives.server.id
  await clients.instance.updateServer({ serverId, publicIps: [] })
  await clients.instance.setSecurityGroupRules({ securityGroupId: lives['security-group'].id, rules: [] })
  const found = await drift(await cloud.clients(), wishes())
  assert.equal(found, ['update security group egress-proxy: rules', 'update server proxy: flexible ip'])
  await deploy(await cloud.clients(), wishes())
  assert.equal(await drift(await cloud.clients(), wishes()), [])
})

test('never sees, changes or removes what another context made under the same names', async () => {
  const mine = await census(await cloud.clients())
  const other = await cloud.clients('other')
  // Names of clusters are unique in a project, so this one stops there and says so.
  const path = { kubeconfig: join(cloud.dir, 'other') }
  const problem = await deploy(other, path).catch(it => it)
  assert.match(problem.message, /there is a cluster shared already/)
  assert.equal(await drift(await cloud.clients(), wishes()), [])
  await removeAll(other, await listOwned(other), report)
  assert.equal(await census(await cloud.clients()), mine)
})

test('undoes all, twice, and leaves the project empty', async () => {
  const clients = await cloud.clients()
  const { done } = await deploy(clients, wishes())
  const made = done.map(it => ({ ...it, before: null, action: 'create' }))
  await undo(clients, made)
  await empty()
  await undo(clients, made)
  await empty()
  assert.equal(await listOwned(clients), [])
})

test('makes nothing twice when the answer to every POST is lost', async () => {
  const lost = new Set<string>()
  const losing: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    const response = await fetch(request.clone())
    const key = `${request.method} ${request.url}`
    if (request.method !== 'POST' || lost.has(key)) return response
    lost.add(key)
    throw new TypeError('fetch failed')
  }
  await deploy(await cloud.clients('sandbox', { fetch: losing }), wishes())
  assert.ok(lost.size >= 12)
  assert.equal(await drift(await cloud.clients(), wishes()), [])
  const { vpcs, networks, gateways, legs, ips, servers, volumes, clusters } = await census(await cloud.clients())
  // One proxy and one node of the cluster are servers.
  assert.equal([vpcs, networks, gateways, legs, ips, clusters], [1, 1, 1, 1, 1, 1])
  assert.ok((servers ?? 0) <= 2 && (volumes ?? 0) <= 2)
  const clients = await cloud.clients()
  await removeAll(clients, await listOwned(clients), report)
  await empty()
})
