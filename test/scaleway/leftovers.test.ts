import * as assert from 'uvu/assert'
import { listKnown } from '../../src/scaleway/known.ts'
import { findLeaks } from '../../src/scaleway/leaks.ts'
import { listOwned, type Owned } from '../../src/scaleway/leftovers.ts'
import { removeEach } from '../../src/scaleway/removal.ts'
import { suite } from '../support/suite.ts'
import { oneStage } from './hazards/stage.ts'
import { census, deploy, drift, report } from './network.ts'

const { test, before, after } = suite('scaleway/leftovers')

const cloud = oneStage({ before, after })

const wishes: typeof cloud.wishes = more => cloud.wishes(more)
const names = (all: Owned[]) => all.map(it => `${it.kind} ${it.id}`)

/** Beside ours, under the same names and without tags: what a colleague, or a run that died, may have left. */
const strangers = async () => {
  const it = await cloud.clients()
  const { projectId } = it
  const vpc = await it.vpc.createVPC({ name: 'egress', projectId, enableRouting: true })
  const flexible = await it.instance.createIp({ project: projectId, type: 'routed_ipv4' })
  const gatewayIp = await it.gateway.createIP({ projectId })
  const ours = (await listOwned(it)).find(({ kind }) => kind === 'private-network')!
  const booked = await it.ipam.bookIP({
    projectId,
    source: { privateNetworkId: ours.id },
    isIpv6: false,
    address: '172.16.29.9',
  })
  return { vpc: vpc.id, flexible: flexible.ip!.id, gatewayIp: gatewayIp.id, booked: booked.id, network: ours.id }
}

test('beside a plan, what this context owns costs no call', async () => {
  await deploy(await cloud.clients(), wishes())
  const clients = await cloud.clients()
  assert.equal(await drift(clients, wishes()), [])
  const calls = clients.calls()
  assert.ok(calls > 10)
  const known = await listKnown(clients)
  assert.is(clients.calls(), calls)
  assert.equal(names(known), names(await listOwned(clients)))
  assert.equal(await listKnown(await cloud.clients('other')), [])
})

test('a stop starts no other removal, finishes what is under way and tells what stands', async () => {
  const clients = await cloud.clients()
  const owned = await listOwned(clients)
  const stop = new AbortController()
  const started: Owned[] = []
  const { gone, left, failures } = await removeEach(clients, owned, {
    reportFor: () => report,
    stop: stop.signal,
    onStart: it => started.push(it),
    onEnd: () => stop.abort(),
  })
  assert.equal(failures, [])
  assert.equal(names(gone).sort(), names(started).sort())
  assert.equal(gone.map(it => it.kind).sort(), ['pool', 'server'])
  assert.equal(names([...gone, ...left]).sort(), names(owned).sort())
  await deploy(await cloud.clients(), wishes())
})

test('leaks are told with what they are; only ours goes, and a network with a stranger in it stays', async () => {
  const theirs = await strangers()
  const clients = await cloud.clients()
  const server = (await listOwned(clients)).find(it => it.kind === 'server')!
  // As a crash between making a server and tagging its volume leaves it.
  const { server: live } = await clients.instance.getServer({ serverId: server.id })
  const volumeId = Object.values(live!.volumes)[0]!.id
  const found = await findLeaks(clients)
  assert.equal(found.map(it => it.id).sort(), [theirs.flexible, theirs.gatewayIp, theirs.booked].sort())
  assert.equal(found.map(it => it.what).sort(), ['flexible IP', 'gateway IP', 'private address'])

  await clients.block.updateVolume({ volumeId, tags: [] })
  await clients.instance.serverAction({ serverId: server.id, action: 'terminate' })
  for (let left = 1500; left > 0 && (await findLeaks(clients)).length < 4; left--)
    await new Promise(done => setTimeout(done, 20))
  const volume = (await findLeaks(clients)).find(it => it.what === 'block volume')
  assert.is(volume?.id, volumeId)
  assert.match(volume!.link, 'https://console.scaleway.com/')

  const hasty = Object.assign(await cloud.clients(), { deadlines: { ...clients.deadlines, network: 300 } })
  const view = hasty.at
  hasty.at = zone => Object.assign(view(zone), { deadlines: hasty.deadlines })
  const owned = await listOwned(hasty)
  assert.not(owned.some(it => Object.values(theirs).includes(it.id) && it.id !== theirs.network))
  const { failures, left } = await removeEach(hasty, owned, { reportFor: () => report })
  assert.equal(
    failures.map(it => it.owned.id),
    [theirs.network],
  )
  assert.match((failures[0]!.error as { why: string }).why, '172.16.29.9')
  assert.equal(
    left.map(it => it.kind),
    ['vpc'],
  )
  assert.equal(await findLeaks(clients).then(all => all.map(it => it.id).sort()), [
    ...[theirs.flexible, theirs.gatewayIp, theirs.booked, volumeId].sort(),
  ])
  assert.is((await clients.vpc.getVPC({ vpcId: theirs.vpc })).name, 'egress')
  assert.is((await census(clients)).servers, 0)
})
