import * as assert from 'uvu/assert'
import { Problem } from '../../../src/engine/problem.ts'
import { imageId } from '../../../src/scaleway/image.ts'
import { listOwned } from '../../../src/scaleway/leftovers.ts'
import { removeSecurityGroup, type SecurityGroupWant, securityGroupKind } from '../../../src/scaleway/security-group.ts'
import { serverKind } from '../../../src/scaleway/server.ts'
import { removeServer } from '../../../src/scaleway/server-remove.ts'
import { suite } from '../../support/suite.ts'
import { census, deploy, drift, report } from '../network.ts'
import { recording, stage, within } from './stage.ts'

const { test, after } = suite('hazards/instance')
const open = stage({ after })

/** One of everything, with what was sent for it. */
const deployed = async (scale?: number) => {
  const cloud = await open(scale)
  const record = recording()
  const scaleway = await cloud.clients('sandbox', { fetch: record.send })
  const { lives, done } = await deploy(scaleway, cloud.wishes())
  const want = done.find(it => it.kind === serverKind)!.want as Parameters<typeof serverKind.apply>[0]
  return { ...cloud, ...record, scaleway, lives, want, serverId: lives.server.id as string }
}

const whenIn = async (state: string, look: () => Promise<string | undefined>) => {
  for (let at = 0; at < 1500 && (await look()) !== state; at++) await new Promise(done => setTimeout(done, 20))
  assert.is(await look(), state)
}

test('a server gets no address that changes with every start', async () => {
  const { all, lives } = await deployed()
  const [{ body } = { body: {} }] = all('POST', /\/servers$/)
  assert.is(body.dynamic_ip_required, false)
  assert.equal(body.public_ips, [lives['flexible-ip'].id])
})

test('a server is made stopped, gets NIC and user data, and only then power', async () => {
  const { first } = await deployed()
  const order = [
    first('POST', /\/servers$/),
    first('PATCH', /\/block\/.*\/volumes\//),
    first('POST', /\/private_nics$/),
    first('PATCH', /\/user_data\/cloud-init$/),
    first('POST', /\/action$/),
  ]
  assert.ok(!order.includes(-1), order.join())
  assert.equal(
    order,
    [...order].sort((a, b) => a - b),
  )
})

test('the root volume is born without tags, and is tracked before anything else is done', async () => {
  const { scaleway, first } = await deployed()
  assert.ok(first('PATCH', /\/volumes\//) < first('POST', /\/private_nics$/))
  const [volume] = await scaleway.block.listVolumes({ includeDeleted: false }).all()
  assert.match(volume?.name ?? '', /_sbs_volume_0$/)
  assert.ok(volume?.tags.includes('egress-name=proxy'))
})

test('a task is never asked about, and a volume only in Block', async () => {
  const { sent } = await deployed()
  assert.equal(
    sent.filter(it => /\/tasks|\/instance\/.*\/volumes/.test(it.path)),
    [],
  )
})

test('terminate leaves the root volume, which stays in use for a while', async () => {
  const { scaleway, serverId, clients, trace } = await deployed()
  const [volume] = await scaleway.block.listVolumes({ includeDeleted: false }).all()
  trace.clear()
  await removeServer(scaleway, serverId, 'proxy', report)
  const calls = trace.calls()
  const at = (method: string, path: RegExp) => calls.findIndex(it => it.method === method && path.test(it.path))
  assert.ok(at('POST', /\/action$/) < at('DELETE', new RegExp(`/volumes/${volume?.id}`)))
  assert.equal(
    calls.filter(it => it.method === 'DELETE' && it.status >= 400),
    [],
    'it was deleted while in use',
  )
  assert.ok(calls.filter(it => it.method === 'GET' && it.path.endsWith(`/volumes/${volume?.id}`)).length > 2)
  assert.is((await census(await clients())).volumes, 1, 'only that of the node is left')
})

test('a server that stands in place is powered off before it goes', async () => {
  const { scaleway, serverId, clients } = await deployed()
  await scaleway.instance.serverAction({ serverId, action: 'stop_in_place' })
  const state = async () => (await scaleway.instance.getServer({ serverId })).server?.state
  await whenIn('stopped in place', state)
  await removeServer(scaleway, serverId, 'proxy', report)
  assert.is((await census(await clients())).servers, 1)
})

test('a server that stands still is started again, and nothing about it is lost', async () => {
  const { scaleway, serverId, clients, wishes } = await deployed()
  await scaleway.instance.serverAction({ serverId, action: 'poweroff' })
  await whenIn('stopped', async () => (await scaleway.instance.getServer({ serverId })).server?.state)
  assert.equal(await drift(await clients(), wishes()), ['update server proxy: state'])
  await deploy(await clients(), wishes())
  assert.equal(await drift(await clients(), wishes()), [])
})

test('a server that is protected at the console stays, and is a Problem', async () => {
  const { scaleway, serverId } = await deployed()
  await scaleway.instance.updateServer({ serverId, protected: true })
  const problem = await removeServer(scaleway, serverId, 'proxy', report).catch(it => it)
  assert.instance(problem, Problem)
  assert.match(problem.message, /server proxy is protected/)
  assert.is((await scaleway.instance.getServer({ serverId })).server?.state, 'running')
})

test('no user data is a 404 with an empty body', async () => {
  const { scaleway, want, clients } = await deployed()
  await removeServer(scaleway, (await serverKind.read(want, scaleway, report))!.id, 'proxy', report)
  const image = await imageId(scaleway, 'ubuntu_noble', 'PLAY2-PICO')
  await scaleway.instance.createServer({
    name: 'proxy',
    commercialType: 'PLAY2-PICO',
    image,
    volumes: { 0: { volumeType: 'sbs_volume' } },
    tags: ['kapsule-egress', 'egress-context=sandbox', 'egress-name=proxy'],
    dynamicIpRequired: false,
    protected: false,
  })
  const live = await serverKind.read(want, await clients(), report)
  assert.is(live?.userDataSha, null)
  assert.is(serverKind.diff(want, live)?.action, 'update', 'it never booted, so it can be mended')
})

test('a NIC on a running server is syncing first', async () => {
  const { scaleway, serverId, want, lives, clients } = await deployed()
  const privateNicId = lives.server.nicId as string
  await scaleway.instance.deletePrivateNIC({ serverId, privateNicId })
  const said: string[] = []
  const live = await serverKind.read(want, await clients(), report)
  const saying = { ...report, waiting: (what: string) => said.push(what) }
  const now = await serverKind.apply(want, await clients(), live, saying)
  assert.ok(said.includes('private NIC of proxy: syncing'))
  assert.is(now.privateIp, '172.16.28.8')
})

test('nothing refuses a second NIC: one is looked for before it is made', async () => {
  const { serverId, scaleway, clients, send, want, all } = await deployed()
  const again = await clients('sandbox', { fetch: send })
  const live = await serverKind.read(want, again, report)
  const before = all('GET', /\/private_nics$/).length
  await serverKind.apply(want, again, live, report)
  assert.is(all('GET', /\/private_nics$/).length, before + 1)
  assert.is((await scaleway.instance.listPrivateNICs({ serverId })).privateNics.length, 1)
  assert.is(all('POST', /\/private_nics$/).length, 1)
})

test('a power-on whose answer was lost is not given twice', async () => {
  const { clients, conditions, wishes, trace } = await open()
  conditions.set({ faults: [{ on: { method: 'POST', path: '/instance/**/action' }, times: 1, do: { cut: 'after' } }] })
  const { lives } = await deploy(await clients(), wishes())
  assert.is(lives.server.state, 'running')
  assert.is(trace.calls().filter(it => it.path.endsWith('/action')).length, 1)
})

test('a terminate whose answer was lost is refused the second time, and the server goes', async () => {
  const { clients, conditions, serverId, trace } = await deployed(0.02)
  const lost = { on: { method: 'POST', path: '/instance/**/action' }, times: 1, do: { cut: 'after' as const } }
  conditions.set({ staleMs: 300, faults: [lost] })
  trace.clear()
  await removeServer(await clients(), serverId, 'proxy', report)
  conditions.clear()
  assert.ok(trace.calls().some(it => it.path.endsWith('/action') && it.status === 400))
  assert.is((await census(await clients())).servers, 1)
})

test('an image has a new id with every release, and that is no drift', async () => {
  const { clients, want, scaleway, serverId } = await deployed()
  const live = await serverKind.read(want, await clients(), report)
  assert.is(serverKind.diff({ ...want, image: 'debian_bookworm' }, live), null)
  assert.ok((await scaleway.instance.getServer({ serverId })).server?.image?.id)
})

test('images for arm64 and x86_64 come together: one that the type runs is taken', async () => {
  const { clients } = await open()
  const scaleway = await clients()
  const all = await scaleway.marketplace
    .listLocalImages({ imageLabel: 'ubuntu_noble', zone: 'fr-par-1', type: 'instance_sbs' })
    .all()
  assert.ok(new Set(all.map(it => it.arch)).size > 1, 'both are listed')
  const id = await imageId(scaleway, 'ubuntu_noble', 'PLAY2-PICO')
  const found = all.find(it => it.id === id)
  assert.is(found?.arch, 'x86_64')
  assert.ok(found?.compatibleCommercialTypes.includes('PLAY2-PICO'))
  assert.match((await imageId(scaleway, 'ubuntu_noble', 'NO-SUCH').catch(it => it)).message, /no image ubuntu_noble/)
})

/** A security group of ours with these rules, and what is read of it. */
const ruled = async (rules: SecurityGroupWant['rules']) => {
  const cloud = await open()
  const scaleway = await cloud.clients()
  const want: SecurityGroupWant = { name: 'sg', inboundDefault: 'drop', outboundDefault: 'accept', rules }
  const { id } = await securityGroupKind.apply(want, scaleway, null, report)
  const live = await securityGroupKind.read(want, await cloud.clients(), report)
  const { rules: raw } = await scaleway.instance.listSecurityGroupRules({ securityGroupId: id, perPage: 100 })
  return { ...cloud, scaleway, want, live, raw, id }
}
const inbound = { direction: 'inbound', action: 'accept' } as const

for (const { when, rule, raw: comes } of [
  {
    when: 'a mask of one host is stripped',
    rule: { ...inbound, protocol: 'TCP', ipRange: '8.8.8.8/32', ports: { from: 22, to: 23 } },
    raw: ['8.8.8.8', 22, 23],
  },
  {
    when: 'the mask of one IPv6 host is stripped',
    rule: { ...inbound, protocol: 'UDP', ipRange: '2001:db8::1/128', ports: { from: 1, to: 9 } },
    raw: ['2001:db8::1', 1, 9],
  },
  {
    when: 'the last port is left out where it is the first',
    rule: { ...inbound, protocol: 'TCP', ipRange: '10.0.0.0/8', ports: { from: 22, to: 22 } },
    raw: ['10.0.0.0/8', 22, undefined],
  },
  {
    when: 'ICMP has no ports',
    rule: { ...inbound, protocol: 'ICMP', ipRange: '0.0.0.0/0' },
    raw: ['0.0.0.0/0', undefined, undefined],
  },
] as const)
  test(`rules come back written otherwise: ${when}`, async () => {
    const { want, live, raw } = await ruled([rule])
    const [{ ipRange, destPortFrom, destPortTo } = { ipRange: '' }] = raw.filter(it => it.editable)
    assert.equal([ipRange, destPortFrom ?? undefined, destPortTo ?? undefined], comes)
    assert.is(securityGroupKind.diff(want, live), null)
  })

test('six rules against mail stand beside ours and are no drift', async () => {
  const { want, live, raw } = await ruled([{ ...inbound, protocol: 'TCP', ipRange: '10.0.0.0/8' }])
  assert.is(raw.filter(it => !it.editable).length, 6)
  assert.is(live?.rules.length, 1)
  assert.is(securityGroupKind.diff(want, live), null)
})

test('a security group in use cannot go, which comes as 400', async () => {
  const { scaleway, serverId, lives, clients } = await deployed()
  const { id } = lives['security-group']
  const refused = await scaleway.instance.deleteSecurityGroup({ securityGroupId: id }).catch(it => it)
  assert.is(refused.cause.status, 400)
  await Promise.all([
    removeSecurityGroup(scaleway, id, report),
    removeServer(await clients(), serverId, 'proxy', report),
  ])
  const short = within(await clients(), { securityGroup: 200 })
  await removeSecurityGroup(short, id, report) // gone is gone
})

test('the security group that Kapsule makes in the project is not ours', async () => {
  const { scaleway, clients } = await deployed()
  const policies = { inboundDefaultPolicy: 'accept', outboundDefaultPolicy: 'accept' } as const
  const { securityGroup } = await scaleway.instance.createSecurityGroup({
    ...{ name: 'Kapsule default security group', description: '', stateful: true, ...policies },
  })
  const owned = await listOwned(await clients())
  assert.is(owned.filter(it => it.kind === 'security-group').length, 1)
  assert.not.ok(owned.some(it => it.id === securityGroup?.id))
})
