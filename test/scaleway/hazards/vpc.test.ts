import * as assert from 'uvu/assert'
import { privateNetworkKind, removePrivateNetwork } from '../../../src/scaleway/private-network.ts'
import { tagsOf } from '../../../src/scaleway/tags.ts'
import { vpcKind } from '../../../src/scaleway/vpc.ts'
import { suite } from '../../support/suite.ts'
import { report } from '../network.ts'
import { recording, stage, within } from './stage.ts'

const { test, after } = suite('hazards/vpc')
const open = stage({ after })
const cidr = '172.16.28.0/22'

/** A VPC and a private network of ours, through the Kinds. */
const made = async (http = {}) => {
  const cloud = await open()
  const scaleway = await cloud.clients('sandbox', http)
  const { id: vpcId } = await vpcKind.apply({ name: 'egress' }, scaleway, null, report)
  const want = { name: 'egress', vpcId, cidr }
  const network = await privateNetworkKind.apply(want, scaleway, null, report)
  return { ...cloud, scaleway, vpcId, want, network }
}

test('names match by substring and tags by any of them: neighbours are not ours', async () => {
  const { clients } = await open()
  const scaleway = await clients()
  const ours = tagsOf({ context: 'sandbox' }, 'egress')
  for (const [name, tags] of [
    ['egress', []],
    ['egress-2', tagsOf({ context: 'sandbox' }, 'egress-2')],
    ['egress', tagsOf({ context: 'sandbox-2' }, 'egress')],
    ['egress', ['egress-context=sandbox']],
  ] as const)
    await scaleway.vpc.createVPC({ name, tags: [...tags], enableRouting: true })
  assert.is(await vpcKind.read({ name: 'egress' }, scaleway, report), null)
  const live = await vpcKind.apply({ name: 'egress' }, scaleway, null, report)
  assert.equal((await scaleway.vpc.getVPC({ vpcId: live.id })).tags, ours)
  assert.is((await vpcKind.read({ name: 'egress' }, await clients(), report))?.id, live.id)
})

test('a network is made in our VPC, or it lands in the default one', async () => {
  const { send, all } = recording()
  const { vpcId } = await made({ fetch: send })
  assert.is(all('POST', /private-networks$/)[0]?.body.vpc_id, vpcId)
})

test('the IPv6 range that is always added is no drift', async () => {
  const { clients, network, want } = await made()
  const scaleway = await clients()
  const { subnets } = await scaleway.vpc.getPrivateNetwork({ privateNetworkId: network.id })
  assert.ok(subnets.some(it => it.subnet.includes(':')))
  assert.is(network.cidr, cidr)
  assert.is(privateNetworkKind.diff(want, await privateNetworkKind.read(want, scaleway, report)), null)
})

test('the same range may stand in the VPC of somebody else, and is left alone', async () => {
  const { clients } = await open()
  const scaleway = await clients()
  const other = await scaleway.vpc.createVPC({ name: 'theirs', enableRouting: true })
  const theirs = await scaleway.vpc.createPrivateNetwork({
    name: 'egress',
    vpcId: other.id,
    subnets: [cidr],
    defaultRoutePropagationEnabled: false,
  })
  const { id: vpcId } = await vpcKind.apply({ name: 'egress' }, scaleway, null, report)
  const want = { name: 'egress', vpcId, cidr }
  assert.is(await privateNetworkKind.read(want, scaleway, report), null)
  assert.is.not((await privateNetworkKind.apply(want, scaleway, null, report)).id, theirs.id)
})

test('a network that is not empty yet is asked again until it goes', async () => {
  const { clients, network } = await made()
  const scaleway = await clients()
  const { id } = await scaleway.ipam.bookIP({ source: { privateNetworkId: network.id }, isIpv6: false })
  const leaving = removePrivateNetwork(scaleway, network.id, report)
  await new Promise(done => setTimeout(done, 200))
  assert.is((await scaleway.vpc.getPrivateNetwork({ privateNetworkId: network.id })).id, network.id)
  await scaleway.ipam.releaseIP({ ipId: id })
  await leaving
  const gone = await scaleway.vpc.getPrivateNetwork({ privateNetworkId: network.id }).catch(it => it)
  assert.match(gone.message, /not there/)
})

test('a network that stays full is a Problem that says what is in it', async () => {
  const { clients, network } = await made()
  const scaleway = await clients()
  await scaleway.ipam.bookIP({ source: { privateNetworkId: network.id }, isIpv6: false, address: '172.16.28.77' })
  const short = within(scaleway, { network: 200 })
  const problem = await removePrivateNetwork(short, network.id, report).catch(it => it)
  assert.match(problem.message, /cannot be deleted/)
  assert.match(problem.why, /172\.16\.28\.77\/22/)
})
