import * as assert from 'uvu/assert'
import { site } from '../../../playbooks/site.ts'
import { graphOf } from '../../../src/engine/graph.ts'
import { loadContext } from '../../../src/inventory/load.ts'
import { ipamAddressKind, removeIpamAddress } from '../../../src/scaleway/ipam-address.ts'
import { findLeaks } from '../../../src/scaleway/leaks.ts'
import { listOwned } from '../../../src/scaleway/leftovers.ts'
import { privateNetworkKind } from '../../../src/scaleway/private-network.ts'
import { removeServer } from '../../../src/scaleway/server-remove.ts'
import { vpcKind } from '../../../src/scaleway/vpc.ts'
import { root } from '../../inventory/edited.ts'
import { suite } from '../../support/suite.ts'
import { deploy, report } from '../network.ts'
import { recording, stage } from './stage.ts'

const { test, after } = suite('hazards/ipam')
const open = stage({ after })

/** A private network of ours, and the wish for an address in it. */
const network = async () => {
  const cloud = await open()
  const scaleway = await cloud.clients()
  const vpc = await vpcKind.apply({ name: 'egress' }, scaleway, null, report)
  const want = { name: 'egress', vpcId: vpc.id, cidr: '172.16.28.0/22' }
  const { id: privateNetworkId } = await privateNetworkKind.apply(want, scaleway, null, report)
  return { ...cloud, scaleway, want: { name: 'proxy', privateNetworkId, address: '172.16.28.8' } }
}

test('an address comes back with the mask of its network', async () => {
  const { clients, scaleway, want } = await network()
  const { id, address } = await ipamAddressKind.apply(want, scaleway, null, report)
  assert.is((await scaleway.ipam.getIP({ ipId: id })).address, '172.16.28.8/22')
  assert.is(address, '172.16.28.8')
  assert.is(ipamAddressKind.diff(want, await ipamAddressKind.read(want, await clients(), report)), null)
})

test('an address has no name: its tags say whose it is', async () => {
  const { clients, scaleway, want } = await network()
  const source = { privateNetworkId: want.privateNetworkId }
  const bare = await scaleway.ipam.bookIP({ source, isIpv6: false, address: '172.16.28.9' })
  assert.is(await ipamAddressKind.read(want, scaleway, report), null)
  const ours = await ipamAddressKind.apply(want, scaleway, null, report)
  assert.is.not(ours.id, bare.id)
  assert.is((await ipamAddressKind.read(want, await clients(), report))?.id, ours.id)
})

test('an address that somebody has is a Problem that says who', async () => {
  const { scaleway, want } = await network()
  const source = { privateNetworkId: want.privateNetworkId }
  const { id } = await scaleway.ipam.bookIP({ source, isIpv6: false, address: want.address })
  const problem = await ipamAddressKind.apply(want, scaleway, null, report).catch(it => it)
  assert.match(problem.message, /172\.16\.28\.8 is already taken/)
  assert.match(problem.why, id)
})

test('addresses are booked before anything joins the network and takes the lowest free one', async () => {
  const context = await loadContext('sandbox', { root })
  const { cloud } = site(context, { operatorKey: 'ssh-ed25519 AAAA', kubeconfig: '/nowhere' })
  const { parents } = graphOf(cloud)
  const above = (id: string): string[] => (parents.get(id) ?? []).flatMap(it => [it, ...above(it)])
  const booked = cloud.filter(it => it.kind.name === 'ipam-address').map(it => it.id)
  assert.ok(booked.length > 0)
  for (const it of cloud.filter(({ kind }) => ['gateway-network', 'pool'].includes(kind.name)))
    assert.equal(
      booked.filter(address => !above(it.id).includes(address)),
      [],
      `${it.id} may come before an address is booked`,
    )
})

test('a booked address outlives its server, and is attached until that is gone', async () => {
  const { clients, wishes } = await open()
  const scaleway = await clients()
  const { lives } = await deploy(scaleway, wishes())
  const ipId = lives['ipam-address'].id
  const refused = await scaleway.ipam.releaseIP({ ipId }).catch(it => it)
  assert.ok([409, 412].includes(refused.cause.status), 'an attached address was released')
  const releasing = removeIpamAddress(scaleway, ipId, report)
  await removeServer(scaleway, lives.server.id, 'proxy', report)
  await releasing
  assert.is(await ipamAddressKind.read(lives['ipam-address'], scaleway, report), null)
})

test('a reservation that nobody tagged keeps a network alive: it is told of, and not touched', async () => {
  const { scaleway, want } = await network()
  const source = { privateNetworkId: want.privateNetworkId }
  const { id } = await scaleway.ipam.bookIP({ source, isIpv6: false, address: '172.16.28.50' })
  assert.equal(
    (await findLeaks(scaleway)).map(it => it.id),
    [id],
  )
  assert.not.ok((await listOwned(scaleway)).some(it => it.id === id))
})

test('an address is booked in a network by its id, and answered with its subnet', async () => {
  const { send, all } = recording()
  const { clients, wishes } = await open()
  const { lives } = await deploy(await clients('sandbox', { fetch: send }), wishes())
  const [{ body } = { body: {} }] = all('POST', /\/ipam\/.*\/ips$/)
  assert.is(body.source.private_network_id, lives['private-network'].id)
  assert.is(body.address, '172.16.28.8')
})
