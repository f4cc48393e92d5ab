import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import type { Conditions } from '../../../src/sandbox/scaleway/api.ts'
import { createFaults } from '../../../src/sandbox/scaleway/faults.ts'
import { suite } from '../../support/suite.ts'
import { openProject, type Project, refusal, until, untilGone } from './project.ts'

const { test, before, after } = suite('sandbox scaleway: weather')

let project: Project
before(async () => {
  project = await openProject({ scale: 0.01 })
})
after(() => project.close())

const vpcs = '/vpc/v2/regions/fr-par/vpcs'
const during = async (conditions: Conditions, work: () => Promise<void>) => {
  project.scaleway.conditions.set(conditions)
  try {
    await work()
  } finally {
    project.scaleway.conditions.clear()
  }
}
const names = async (part: string): Promise<number> =>
  (await project.raw('GET', `${vpcs}?name=${part}`)).json.total_count
const failure = (work: Promise<unknown>) =>
  work.then(
    () => 'answered',
    thrown => thrown.cause?.code ?? thrown.name,
  )

test('the door takes conditions, shows them, merges what is given, and refuses what it does not understand', async () => {
  const door = '/emulator/conditions'
  const { raw } = project
  assert.equal((await raw('GET', door)).json, {})
  assert.is((await raw('PUT', door, { staleMs: 5 })).status, 200)
  assert.equal((await raw('PUT', door, { quotas: { instances_ips_count: 9 } })).json, {
    ...{ staleMs: 5, quotas: { instances_ips_count: 9 } },
  })
  const bad = {
    fautls: [],
    quotas: { nonsense: 1 },
    stuck: [{ kind: 'gatway', state: 'failed' }],
    faults: [{ do: {} }],
  }
  const { status, json } = await raw('PUT', door, bad)
  assert.is(status, 400)
  for (const said of [/no fautls/, /nonsense/, /stuck\[0\].kind must be one of gateway/, /faults\[0\].do needs one of/])
    assert.match(json.message, said)
  assert.is((await raw('GET', door)).json.staleMs, 5, 'a refused change changes nothing')
  assert.is((await raw('DELETE', door)).status, 204)
  assert.equal((await raw('GET', door)).json, {})
  assert.is((await raw('GET', '/emulator/nothing')).status, 404)
})

for (const { what, effect, status, type, body } of [
  {
    what: '429 is empty, marked by the proxy',
    effect: { status: 429 },
    status: 429,
    type: null,
    body: '',
  },
  { what: '503 is text', effect: { status: 503 }, status: 503, type: 'text/plain', body: 'no healthy upstream' },
  {
    what: '500 is JSON without a type',
    effect: { status: 500 },
    status: 500,
    type: 'application/json',
    body: undefined,
  },
  {
    ...{
      what: 'a body and headers as given',
      effect: { status: 503, body: { a: 1 }, headers: { 'retry-after': '2' } },
    },
    ...{ status: 503, type: 'application/json', body: '{"a":1}' },
  },
]) {
  test(`refused by the weather: ${what}`, () =>
    during({ faults: [{ on: { method: 'post', path: '/vpc/**' }, do: effect }] }, async () => {
      const answer = await project.raw('POST', vpcs, { name: 'refused' })
      assert.equal([answer.status, answer.headers.get('content-type')], [status, type])
      assert.is(answer.headers.get('x-envoy-ratelimited'), status === 429 ? 'true' : null)
      if (body !== undefined) assert.is(answer.text, body)
      else assert.is(answer.json.type, undefined)
      assert.is(await names('refused'), 0)
    }))
}

test('a 403 for a while names what is missing, then passes', () =>
  during({ faults: [{ on: { path: '/vpc/**' }, forMs: 2000, do: { status: 403 } }] }, async () => {
    const { status, json } = await project.raw('GET', vpcs)
    assert.equal([status, json.type, json.details], [403, 'permissions_denied', [{ action: 'read', resource: 'vpc' }]])
    assert.is((await project.raw('GET', vpcs)).status, 403)
    await until(
      () => project.raw('GET', vpcs),
      it => it.status === 200,
    )
  }))

for (const [name, effect, kept] of [
  ['cut-before', { cut: 'before' }, 0],
  ['cut-after', { cut: 'after' }, 1],
  ['lost', { status: 502, after: true }, 1],
] as const) {
  test(`${name}: ${kept ? 'the effect happens, the answer is lost' : 'nothing happens'}`, () =>
    during({ faults: [{ on: { method: 'POST' }, times: 1, do: effect }] }, async () => {
      const got = await failure(project.raw('POST', vpcs, { name }).then(it => assert.is(it.status, 502)))
      assert.is(got, 'cut' in effect ? 'UND_ERR_SOCKET' : 'answered')
      assert.is(await names(name), kept)
      assert.is((await project.raw('POST', vpcs, { name })).status, 200, 'once only')
    }))
}

test('faults: order, skip, times, globs and chance', () => {
  const get = (path: string, method = 'GET') => ({ method, path })
  const ask = createFaults(
    [
      { on: { path: '/a/*/c' }, skip: 1, times: 2, do: { status: 500 } },
      { on: { path: '/a/**' }, do: { latencyMs: 7 } },
      { on: { method: 'GET', path: '/a/**' }, do: { latencyMs: [1, 3] } },
      { on: { path: '/a/b/c' }, do: { cut: 'before' } },
    ],
    1,
  )
  const words = Array.from({ length: 5 }, () =>
    ask(get('/a/b/c'))
      .words.map(it => it.replace(/ \d+/, ''))
      .join(' '),
  )
  const last = 'latency latency cut before'
  assert.equal(words, [last, '500', '500', last, last])
  assert.equal(ask(get('/a/b/d/c', 'POST')), { latencyMs: 7, effect: null, words: ['latency 7'] })
  assert.equal(ask(get('/b/a/c')).words, [])
  const run = (seed: number) => {
    const meet = createFaults([{ chance: 0.2, do: { status: 500 } }], seed)
    return Array.from({ length: 1000 }, () => (meet(get('/x')).effect ? 1 : 0))
  }
  assert.equal(run(3), run(3))
  assert.not.equal(run(3), run(4))
  const hit = run(3).filter(Boolean).length
  assert.ok(hit > 160 && hit < 240, `${hit} of 1000`)
})

test('latency comes before the effect, which a client that gave up does not see', () =>
  during({ faults: [{ on: { method: 'POST' }, do: { latencyMs: 4000 } }] }, async () => {
    const gone = fetch(`${project.url}${vpcs}`, {
      ...{
        method: 'POST',
        body: '{"name":"late"}',
        headers: { 'x-auth-token': '11111111-1111-4111-8111-111111111111' },
      },
      signal: AbortSignal.timeout(1000),
    })
    assert.is(await failure(gone), 'TimeoutError')
    assert.is(await names('late'), 0)
    await until(
      () => names('late'),
      it => it === 1,
    )
  }))

test('above the rate limit: 429', () =>
  during({ rateLimit: { perSecond: 2 } }, async () => {
    const seen = await Promise.all(Array.from({ length: 8 }, () => project.raw('GET', vpcs)))
    assert.equal(seen.map(it => it.status).sort(), [200, 200, 429, 429, 429, 429, 429, 429])
    await sleep(600)
    assert.is((await project.raw('GET', vpcs)).status, 200)
  }))

test('a quota refuses what goes over it, for all projects and by server type', () =>
  during({ quotas: { instances_ips_count: 1, instances_servers_type_DEV1_M: 0 } }, async () => {
    const { instance, raw } = project
    const { ip } = await instance.createIp({ type: 'routed_ipv4' })
    const { status, body } = await refusal(instance.createIp({ type: 'routed_ipv4' }))
    assert.is(status, 403)
    assert.equal(body.details, [{ resource: 'instances_ips_count', quota: 1, current: 1 }])
    assert.is(body.type, 'quotas_exceeded')
    const servers = '/instance/v1/zones/fr-par-1/servers'
    assert.is((await raw('POST', servers, { commercial_type: 'DEV1-M' })).json.type, 'quotas_exceeded')
    assert.is((await raw('POST', servers, { commercial_type: 'DEV1-L' })).json.type, 'invalid_arguments')
    await instance.deleteIp({ ip: ip!.id })
    await instance.createIp({ type: 'routed_ipv4' })
  }))

test('stale reads: a thing just made is not there, one just deleted still is', () =>
  during({ staleMs: 2000 }, async () => {
    const { vpc } = project
    const made = await vpc.createVPC({ name: 'stale', enableRouting: true })
    assert.is(await names('stale'), 0)
    assert.is((await refusal(vpc.getVPC({ vpcId: made.id }))).status, 404)
    await until(
      () => names('stale'),
      it => it === 1,
    )
    await vpc.updateVPC({ vpcId: made.id, name: 'stale-2' })
    assert.is((await vpc.getVPC({ vpcId: made.id })).name, 'stale')
    await vpc.deleteVPC({ vpcId: made.id })
    assert.is((await vpc.getVPC({ vpcId: made.id })).name, 'stale')
    assert.is((await refusal(vpc.deleteVPC({ vpcId: made.id }))).status, 404, 'writes meet the truth')
    await untilGone(() => vpc.getVPC({ vpcId: made.id }))
  }))

test('lagging lists: only lists are behind', () =>
  during({ lagMs: 2000 }, async () => {
    const { id } = await project.vpc.createVPC({ name: 'lagging', enableRouting: true })
    assert.is(await names('lagging'), 0)
    assert.is((await project.vpc.getVPC({ vpcId: id })).name, 'lagging')
    await until(
      () => names('lagging'),
      it => it === 1,
    )
  }))

const statesOf = async (look: () => Promise<string | undefined>, end: string) => {
  const seen: string[] = []
  await until(look, it => {
    if (it !== seen.at(-1)) seen.push(it ?? '')
    return it === end && seen.length > 1
  })
  return seen
}

test('a gateway fails in passing; another stays failed until it is changed', async () => {
  const { gateways, scaleway } = project
  const made = () =>
    gateways.createGateway({ ...{ name: 'gw', type: 'VPC-GW-S', enableSmtp: false, enableBastion: false } })
  const status = (gatewayId: string) => async () => (await gateways.getGateway({ gatewayId })).status
  const { id: gatewayId } = await made()
  await until(status(gatewayId), it => it === 'running')
  scaleway.conditions.set({ stuck: [{ kind: 'gateway', state: 'failed', thenMs: 1000 }] })
  await gateways.updateGateway({ gatewayId, name: 'other' })
  const seen = await statesOf(status(gatewayId), 'running')
  // What lasts only a moment may be over between two looks.
  assert.equal(
    seen.filter(it => it !== 'configuring'),
    ['failed', 'running'],
  )

  scaleway.conditions.set({ stuck: [{ kind: 'gateway', state: 'failed' }] })
  const { id: broken } = await made()
  await until(status(broken), it => it === 'failed')
  await sleep(150)
  assert.is(await status(broken)(), 'failed')
  await gateways.updateGateway({ gatewayId: broken, name: 'mended' })
  await until(status(broken), it => it === 'running')
  scaleway.conditions.clear()
})

test('a volume can be stuck in use, then in error', async () => {
  const { block, instance, marketplace, scaleway } = project
  const { localImages } = await marketplace.listLocalImages({
    ...{ imageLabel: 'ubuntu_noble', zone: 'fr-par-1', type: 'instance_sbs' },
  })
  const image = localImages.find(it => it.compatibleCommercialTypes.includes('DEV1-M'))!.id
  const { server } = await instance.createServer({
    ...{ name: 'srv', commercialType: 'DEV1-M', image, dynamicIpRequired: false, protected: false },
    volumes: { 0: { volumeType: 'sbs_volume' } },
  })
  const volumeId = server!.volumes['0']!.id
  scaleway.conditions.set({ stuck: [{ kind: 'volume', state: 'error', thenMs: 1000 }] })
  await instance.deleteServer({ serverId: server!.id })
  const status = async () => (await block.getVolume({ volumeId })).status as string
  const seen = await statesOf(status, 'available')
  assert.equal(
    seen.filter(it => it !== 'in_use'),
    ['error', 'available'],
  )
  scaleway.conditions.clear()
})

test('the trace tells each call, what became of it and why, and nothing secret', () =>
  during({ faults: [{ on: { method: 'DELETE' }, do: { cut: 'before' } }, { do: { latencyMs: 20 } }] }, async () => {
    const { raw, scaleway } = project
    await raw('DELETE', '/emulator/trace')
    const before = Date.now()
    await raw('GET', `${vpcs}?name=x&page=1`)
    await failure(raw('DELETE', `${vpcs}/y`))
    const trace = (await raw('GET', '/emulator/trace')).json
    assert.equal(trace, scaleway.trace.calls())
    const [first, second, ...more] = trace
    assert.equal(more, [])
    assert.equal([first.method, first.path, first.query, first.status], ['GET', vpcs, 'name=x&page=1', 200])
    assert.equal([first.fault, second.fault, second.status], ['latency 20', 'cut before', 0])
    assert.ok(first.at >= before && first.ms >= 19 && first.ms < 2000, JSON.stringify(first))
    assert.not.match(JSON.stringify(trace), '11111111-1111')
    assert.ok((await raw('GET', '/emulator/calls')).json[`GET ${vpcs.replace('fr-par', ':region')}`] > 1)
  }))
