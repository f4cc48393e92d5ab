import * as assert from 'uvu/assert'
import { flexibleIpKind, removeFlexibleIp } from '../../../src/scaleway/flexible-ip.ts'
import { removeGatewayIp } from '../../../src/scaleway/gateway-ip.ts'
import { removeGateway, removeGatewayNetwork } from '../../../src/scaleway/gateway-remove.ts'
import { listOwned } from '../../../src/scaleway/leftovers.ts'
import { removePool } from '../../../src/scaleway/pool.ts'
import { createRefusals } from '../../../src/scaleway/refusals.ts'
import { removeVolume } from '../../../src/scaleway/root-volume.ts'
import { removeServer } from '../../../src/scaleway/server-remove.ts'
import { removeSshKey } from '../../../src/scaleway/ssh-key.ts'
import { removeVpc } from '../../../src/scaleway/vpc.ts'
import { suite } from '../../support/suite.ts'
import { census, deploy, drift, report } from '../network.ts'
import { removeAll } from '../remove-all.ts'
import { stage } from './stage.ts'

const { test, after } = suite('hazards/errors')
const open = stage({ after })

/** Loses the answer to the first call of each sort: it took effect, and nobody was told. */
const losing = (methods: string[]) => {
  const lost = new Set<string>()
  const send: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    const response = await fetch(request.clone())
    const key = `${request.method} ${new URL(request.url).pathname}`
    if (!methods.includes(request.method) || lost.has(key)) return response
    lost.add(key)
    throw new TypeError('fetch failed')
  }
  return { send, lost }
}

test('an answer to a POST, PATCH, PUT or DELETE that was lost makes no twin and leaves nothing', async () => {
  const { clients, wishes } = await open()
  const calm = await open()
  await deploy(await calm.clients(), calm.wishes())
  const { send, lost } = losing(['POST', 'PATCH', 'PUT', 'DELETE'])
  const scaleway = await clients('sandbox', { fetch: send })
  await deploy(scaleway, wishes())
  assert.equal(await census(await clients()), await census(await calm.clients()))
  await deploy(
    scaleway,
    wishes({ motd: 'other', sshFrom: '0.0.0.0/0', poolSize: 2, label: 'x', bastionFrom: '0.0.0.0/0' }),
  )
  await deploy(scaleway, wishes())
  assert.equal(await drift(await clients(), wishes()), [])
  await removeAll(scaleway, await listOwned(await clients()), report)
  const left = Object.entries(await census(await clients())).filter(([, count]) => count > 0)
  assert.equal(left, [])
  for (const method of ['POST', 'PATCH', 'PUT', 'DELETE'])
    assert.ok([...lost].filter(it => it.startsWith(method)).length >= 2, `no ${method} was lost`)
})

test('a DELETE of what is gone is done', async () => {
  const { clients } = await open()
  const scaleway = await clients()
  const id = '99999999-9999-4999-8999-999999999999'
  await removeFlexibleIp(scaleway, id)
  await removeGatewayIp(scaleway, id, report)
  await removeGateway(scaleway, id, report)
  await removeGatewayNetwork(scaleway, id, report)
  await removePool(scaleway, id, report)
  await removeServer(scaleway, id, 'proxy', report)
  await removeVolume(scaleway, id, report)
  await removeSshKey(scaleway, id)
  await removeVpc(scaleway, id, report)
  assert.ok(scaleway.calls() >= 9)
})

test('a 403 is not taken for gone', async () => {
  const { clients, conditions } = await open()
  const refusals = createRefusals({ lookingMs: 20, changingMs: 20 })
  const scaleway = await clients('sandbox', { refusals })
  const body = { type: 'permissions_denied', details: [{ action: 'read', resource: 'volume' }] }
  conditions.set({ faults: [{ on: { method: 'GET', path: '/block/**' }, do: { status: 403, body } }] })
  const problem = await removeVolume(scaleway, '99999999-9999-4999-8999-999999999999', report).catch(it => it)
  assert.match(problem.message, /may not do this/)
})

test('a 503 may be a refusal for good: it ends, with its words', async () => {
  const { clients, conditions, trace } = await open()
  const body = { message: 'cloud-init is not supported on this offer' }
  conditions.set({ faults: [{ on: { method: 'POST' }, do: { status: 503, body } }] })
  const problem = await flexibleIpKind.apply({ name: 'x' }, await clients(), null, report).catch(it => it)
  assert.match(problem.message, /answered 503/)
  assert.match(problem.why, /not supported on this offer/)
  assert.ok(trace.calls().filter(it => it.method === 'POST').length <= 5)
  assert.is((await census(await clients())).ips, 0)
})

test('what is out of stock is not asked for again, and is told with its type and zone', async () => {
  const { clients, conditions, wishes, trace } = await open()
  const body = { type: 'out_of_stock', message: 'resource is out of stock', resource: 'PLAY2-PICO' }
  conditions.set({ faults: [{ on: { method: 'POST', path: '/**/servers' }, do: { status: 503, body } }] })
  const problem = await deploy(await clients(), wishes()).catch(it => it)
  assert.match(problem.message, /PLAY2-PICO is out of stock in fr-par-1/)
  assert.is(trace.calls().filter(it => it.method === 'POST' && it.path.endsWith('/servers')).length, 1)
})

test('an API that stumbles over looks does not end a wait', async () => {
  const { clients, conditions, wishes, trace } = await open()
  const stumble = (path: string) => ({ on: { method: 'GET', path }, times: 3, do: { status: 503 } })
  conditions.set({
    faults: ['/vpc-gw/**/gateways/*', '/vpc-gw/**/gateway-networks/*', '/k8s/**/clusters/*'].map(stumble),
  })
  await deploy(await clients('sandbox', { attempts: 1 }), wishes())
  assert.is(trace.calls().filter(it => it.status === 503).length, 9)
  assert.equal(await drift(await clients(), wishes()), [])
})
