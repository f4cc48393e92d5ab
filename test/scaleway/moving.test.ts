import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { site } from '../../playbooks/site.ts'
import { applyPlan } from '../../src/engine/apply.ts'
import { makePlan } from '../../src/engine/plan.ts'
import type { World } from '../../src/engine/world.ts'
import { zonesIn } from '../../src/inventory/context.ts'
import { loadContext } from '../../src/inventory/load.ts'
import { listOwned } from '../../src/scaleway/leftovers.ts'
import { changed, cleanUp } from '../inventory/edited.ts'
import { suite } from '../support/suite.ts'
import { type Emulated, emulated } from './emulated.ts'
import { census, report } from './network.ts'
import { removeAll } from './remove-all.ts'

const { test, before, after } = suite('scaleway/moving')

let dir = ''
let cloud: Emulated
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'egress-moving-'))
  cloud = await emulated()
})
after(async () => {
  cleanUp()
  await cloud?.close()
  await rm(dir, { recursive: true, force: true })
})

type Edits = Parameters<typeof changed>[0]

/** Deploys all of the sandbox's cloud with these edits, and says what that did and what is left to do. */
const deployed = async (edits: Edits) => {
  const context = await loadContext('sandbox', { root: changed(edits), env: {} })
  const place = { zone: context.scaleway.zone, zones: zonesIn(context) }
  const kubeconfig = join(dir, 'kubeconfig')
  const { cloud: desired } = site(context, { operatorKey: `ssh-ed25519 ${'A'.repeat(68)}`, kubeconfig })
  const look = async () => {
    const clients = await cloud.clients('sandbox', {}, place)
    const world: World = {
      clientsFor: () => clients,
      journal: { run: 'test', record() {}, close() {} },
      watch() {},
      stop: new AbortController().signal,
      abort: new AbortController().signal,
    }
    return { world, plan: await makePlan(desired, world) }
  }
  const { world, plan } = await look()
  const outcome = await applyPlan(plan, 'test', world)
  const [failure] = outcome.failures
  if (failure) throw failure.error
  const again = await look()
  return {
    made: [...outcome.changes].flatMap(([id, change]) => (change ? [`${change.action} ${id}`] : [])).sort(),
    left: [...again.plan.seen.values()].flatMap(it => (it.step ? [it.step.change.summary] : [])),
    live: (id: string) => again.plan.seen.get(id)?.live as Record<string, unknown>,
  }
}

test('a proxy moves to another zone of its network and keeps its private address', async () => {
  const first = await deployed({})
  assert.equal(first.left, [])
  const edits: Edits = {
    'tenants/client-a.yaml': [['privateIp: 172.16.28.8', 'privateIp: 172.16.28.8, zone: fr-par-2']],
  }
  const { made, left, live } = await deployed(edits)
  assert.equal(made, [
    'create security-group/proxy-fr-par-2',
    'replace flexible-ip/proxy-client-a',
    'replace server/proxy-client-a',
  ])
  assert.equal(left, [])
  assert.is(live('server/proxy-client-a').zone, 'fr-par-2')
  assert.is(live('server/proxy-client-a').privateIp, '172.16.28.8')
  assert.is(live('server/proxy-client-b').id, first.live('server/proxy-client-b').id)
})

test('a whole context moves when its zone does', async () => {
  const edits: Edits = { 'context.yaml': [['zone: fr-par-1', 'zone: fr-par-2']] }
  const { made, left, live } = await deployed(edits)
  assert.equal(left, [])
  for (const id of [
    'gateway/egress',
    'gateway-ip/egress',
    'server/proxy-client-a',
    'server/proxy-client-b',
    'pool/system',
  ])
    assert.is(live(id).zone, 'fr-par-2', id)
  assert.ok(made.includes('replace gateway-ip/egress'), made.join())
  const { gateways, legs, gatewayIps } = await census(await cloud.clients('sandbox', {}, { zone: 'fr-par-1' }))
  assert.equal([gateways, legs, gatewayIps], [0, 0, 0], 'nothing of it is left behind')
})

test('destroy finds what every zone has', async () => {
  const clients = await cloud.clients()
  await removeAll(clients, await listOwned(clients), report)
  assert.equal(await listOwned(await cloud.clients()), [])
  for (const zone of ['fr-par-1', 'fr-par-2']) {
    const left = Object.entries(await census(await cloud.clients('sandbox', {}, { zone })))
    assert.equal(
      left.filter(([, count]) => count > 0),
      [],
      zone,
    )
  }
})
