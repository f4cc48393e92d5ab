import * as assert from 'uvu/assert'
import type { Problem } from '../../src/engine/problem.ts'
import type { ServerClients } from '../../src/scaleway/cloud-init.ts'
import { listOwned } from '../../src/scaleway/leftovers.ts'
import { suite } from '../support/suite.ts'
import { oneStage } from './hazards/stage.ts'
import { census, deploy, drift, report } from './network.ts'
import { removeAll } from './remove-all.ts'

const { test, before, after } = suite('scaleway/identity')

const cloud = oneStage({ before, after })
before(async () => {
  await deploy(await cloud.clients(), wishes())
})

const wishes: typeof cloud.wishes = more => cloud.wishes(more)
const ours = ['kapsule-egress', 'egress-context=sandbox']

type Retag = (clients: ServerClients, id: string, tags: string[]) => Promise<unknown>
const retag: Record<string, Retag> = {
  vpc: ({ vpc }, vpcId, tags) => vpc.updateVPC({ vpcId, tags }),
  'private-network': ({ vpc }, privateNetworkId, tags) => vpc.updatePrivateNetwork({ privateNetworkId, tags }),
  'ipam-address': ({ ipam }, ipId, tags) => ipam.updateIP({ ipId, tags }),
  'gateway-ip': ({ gateway }, ipId, tags) => gateway.updateIP({ ipId, tags }),
  gateway: ({ gateway }, gatewayId, tags) => gateway.updateGateway({ gatewayId, tags }),
  'security-group': ({ instance }, securityGroupId, tags) => instance.updateSecurityGroup({ securityGroupId, tags }),
  'flexible-ip': ({ instance }, ip, tags) => instance.updateIp({ ip, tags }),
  server: ({ instance }, serverId, tags) => instance.updateServer({ serverId, tags }),
  cluster: ({ k8s }, clusterId, tags) => k8s.updateCluster({ clusterId, tags }),
  pool: ({ k8s }, poolId, tags) => k8s.updatePool({ poolId, tags }),
}

for (const [kind, write] of Object.entries(retag))
  for (const lost of ['kapsule-egress', 'its name'])
    test(`${kind}: is still itself without ${lost}, and gets the tag back beside others'`, async () => {
      const clients = await cloud.clients()
      const { lives } = await deploy(clients, wishes())
      const name = { 'security-group': 'egress-proxy', cluster: 'shared', pool: 'client-a-pool' }[kind] ?? ''
      const word = name || (['server', 'flexible-ip', 'ipam-address'].includes(kind) ? 'proxy' : 'egress')
      const left =
        lost === 'its name' ? [...ours, 'team=net'] : ['egress-context=sandbox', `egress-name=${word}`, 'team=net']
      await write(clients, lives[kind].id, left)
      // A gateway and a cluster are busy for a moment after any change.
      await quiet(clients, lives)
      const found = await drift(await cloud.clients(), wishes())
      assert.is(found.length, 1, found.join('; '))
      assert.match(found[0] ?? '', /: tags(, bastion keys)?$/)
      const { lives: now } = await deploy(await cloud.clients(), wishes())
      assert.is(now[kind].id, lives[kind].id)
      assert.equal(await drift(await cloud.clients(), wishes()), [])
      const owned = (await listOwned(await cloud.clients())).find(it => it.id === lives[kind].id)
      assert.is(owned?.name, word)
    })

// biome-ignore lint/suspicious/noExplicitAny: what each kind gives is known by its name here
const quiet = async ({ gateway, k8s }: ServerClients, lives: Record<string, any>) => {
  for (let look = 0; look < 1500; look++) {
    const nat = await gateway.getGateway({ gatewayId: lives.gateway.id })
    const cluster = await k8s.getCluster({ clusterId: lives.cluster.id })
    const pool = await k8s.getPool({ poolId: lives.pool.id })
    if (nat.status === 'running' && [cluster.status, pool.status].every(it => it === 'ready')) return
    await new Promise(wake => setTimeout(wake, 20))
  }
}

for (const [kind, write] of Object.entries(retag))
  if (kind !== 'server')
    test(`${kind}: without the tag of its context it is nobody's, and a plan asks before it makes a twin`, async () => {
      const clients = await cloud.clients()
      const { lives, done } = await deploy(clients, wishes())
      const { want } = done.find(it => it.kind.name === kind)!
      const word = { 'security-group': 'egress-proxy', cluster: 'shared', pool: 'client-a-pool' }[kind] ?? ''
      const name = word || (['flexible-ip', 'ipam-address'].includes(kind) ? 'proxy' : 'egress')
      const whole = ['kapsule-egress', 'egress-context=sandbox', `egress-name=${name}`]
      await write(
        clients,
        lives[kind].id,
        whole.filter(it => it !== 'egress-context=sandbox'),
      )
      const it = done.find(it => it.kind.name === kind)!.kind
      const looking = it.read(want, await cloud.clients(), { ...report, planning: true })
      // Our server holds the address, so that one is known all the same.
      if (kind === 'ipam-address') assert.is((await looking)?.id, lives[kind].id)
      else {
        const problem: Problem = await looking.catch((thrown: Problem) => thrown)
        assert.match(problem.message, /has lost the tag of its context/)
        assert.match(problem.why, new RegExp(`${lives[kind].id} https://console\\.scaleway\\.com/`))
        assert.match(problem.next, /egress-context=sandbox/)
      }
      await quiet(clients, lives)
      await write(clients, lives[kind].id, whole)
      await quiet(clients, lives)
      await deploy(await cloud.clients(), wishes())
    })

test('server: one that was made and never tagged is found by what it holds of ours, and tagged', async () => {
  const clients = await cloud.clients()
  const { lives } = await deploy(clients, wishes())
  const serverId = lives.server.id
  await clients.instance.updateServer({ serverId, tags: [] })
  assert.equal(await drift(await cloud.clients(), wishes()), ['update server proxy: tags'])
  const owned = (await listOwned(await cloud.clients())).find(it => it.id === serverId)
  assert.equal([owned?.kind, owned?.name, owned?.tagged], ['server', 'proxy', false])
  const { lives: now } = await deploy(await cloud.clients(), wishes())
  assert.is(now.server.id, serverId)
  assert.equal(await drift(await cloud.clients(), wishes()), [])
})

test('server: without its name tag and renamed, it is known by the address of ours that it holds', async () => {
  const clients = await cloud.clients()
  const { lives } = await deploy(clients, wishes())
  const serverId = lives.server.id
  await clients.instance.updateServer({ serverId, name: 'renamed', tags: ours })
  assert.equal(await drift(await cloud.clients(), wishes()), ['update server proxy: name, tags'])
  const { lives: now } = await deploy(await cloud.clients(), wishes())
  assert.is(now.server.id, serverId)
  assert.equal(await drift(await cloud.clients(), wishes()), [])
})

test('server: a stranger of the same name is no server of ours', async () => {
  const clients = await cloud.clients()
  const { lives } = await deploy(clients, wishes())
  const { server: own } = await clients.instance.getServer({ serverId: lives.server.id })
  const { server: stranger } = await clients.instance.createServer({
    name: 'proxy',
    project: clients.projectId,
    commercialType: 'PLAY2-PICO',
    image: own?.image?.id ?? '',
    volumes: { 0: { volumeType: 'sbs_volume', size: 10e9, boot: true } },
    dynamicIpRequired: false,
    bootType: 'local',
    tags: [],
    protected: false,
  })
  assert.equal(await drift(await cloud.clients(), wishes()), [])
  await clients.instance.updateServer({ serverId: lives.server.id, tags: [] })
  assert.equal(await drift(await cloud.clients(), wishes()), ['update server proxy: tags'], 'ours is chosen')
  // One that took our group as well is another matter: nobody can tell which of the two it is.
  const securityGroup = { id: lives['security-group'].id, name: 'egress-proxy' }
  await clients.instance.updateServer({ serverId: stranger?.id ?? '', securityGroup })
  const problem: Problem = await drift(await cloud.clients(), wishes()).then(
    () => assert.unreachable('two of them'),
    it => it,
  )
  assert.match(problem.message, /there are 2 of server proxy/)
  for (const id of [lives.server.id, stranger?.id])
    assert.match(
      problem.why,
      new RegExp(`${id} https://console\\.scaleway\\.com/instance/servers/fr-par-1/${id}/overview`),
    )
  await clients.instance.deleteServer({ serverId: stranger?.id ?? '' })
  await deploy(await cloud.clients(), wishes())
})

test('ipam-address: without any tag it is ours where our server holds it', async () => {
  const clients = await cloud.clients()
  const { lives } = await deploy(clients, wishes())
  await clients.ipam.updateIP({ ipId: lives['ipam-address'].id, tags: [] })
  assert.match((await drift(await cloud.clients(), wishes()))[0] ?? '', /update private address proxy: tags/)
  const { lives: now } = await deploy(await cloud.clients(), wishes())
  assert.is(now['ipam-address'].id, lives['ipam-address'].id)
  assert.equal(await drift(await cloud.clients(), wishes()), [])
})

test('two of one identity are told with ids and links, for every list', async () => {
  const clients = await cloud.clients()
  const twin = await clients.vpc.createVPC({ name: 'twin', tags: [...ours, 'egress-name=egress'], enableRouting: true })
  const problem: Problem = await drift(await cloud.clients(), wishes()).then(
    () => assert.unreachable('two of them'),
    it => it,
  )
  assert.match(problem.message, /there are 2 of VPC egress/)
  assert.match(problem.why, new RegExp(`${twin.id} https://console\\.scaleway\\.com/vpc`))
  await clients.vpc.deleteVPC({ vpcId: twin.id })
})

test('server: protection at Scaleway is drift, and refuses removal in words', async () => {
  const clients = await cloud.clients()
  const { lives } = await deploy(clients, wishes())
  const serverId = lives.server.id
  await clients.instance.updateServer({ serverId, protected: true })
  assert.equal(await drift(await cloud.clients(), wishes()), ['update server proxy: protected'])
  const owned = (await listOwned(clients)).filter(it => it.id === serverId)
  const problem: Problem = await removeAll(clients, owned, report).catch(it => it)
  assert.match(problem.message, /server proxy is protected at Scaleway/)
  assert.match(problem.next, /protect: true.*console\.scaleway\.com/)
  const { server } = await clients.instance.getServer({ serverId })
  assert.is(server?.state, 'running')
  await deploy(await cloud.clients(), wishes())
  assert.equal(await drift(await cloud.clients(), wishes()), [])
})

test('after all of that, one of each', async () => {
  const { vpcs, networks, gateways, legs, ips, groups, clusters } = await census(await cloud.clients())
  assert.equal([vpcs, networks, gateways, legs, ips, groups, clusters], [1, 1, 1, 1, 1, 1, 1])
})
