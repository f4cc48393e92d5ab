import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { openProject, type Project, recorder, until } from './project.ts'
import { make } from './whole-order.ts'

const { test } = suite('sandbox scaleway: restarts and failures')

const slow = 0.02

test('a restart brings back the machines and finishes what was in transition', async () => {
  const first = await openProject({ scale: slow })
  const made = await make(first)
  const { instance, gateways, k8s } = first
  await gateways.refreshSSHKeys({ gatewayId: made.gatewayId })
  await instance.serverAction({ serverId: made.serverId, action: 'poweroff' })
  await k8s.deletePool({ poolId: made.poolId })
  const saved = JSON.parse(JSON.stringify(first.scaleway.state()))
  await first.close()
  assert.equal(Object.keys(saved.transitions).sort(), [made.gatewayId, made.serverId, made.poolId].sort())
  assert.equal(first.said, [], 'closing in the middle is no failure')

  const world = recorder()
  const second = await openProject({ scale: slow, saved, world })
  try {
    assert.equal(world.calls, [], 'nothing happens before reconcile')
    await second.scaleway.reconcile()
    assert.equal(world.of('networkUp'), [{ id: made.networkId, cidr: '172.16.28.0/22' }])
    assert.is(world.of<{ networks: object[] }>('gatewayUp')[0]!.networks.length, 1)
    assert.is(world.of<{ id: string }>('create')[0]!.id, made.clusterId)
    const server = () => second.instance.getServer({ serverId: made.serverId })
    assert.is((await server()).server!.state, 'stopping')
    await until(server, it => it.server!.state === 'stopped')
    await until(
      () => second.gateways.getGateway({ gatewayId: made.gatewayId }),
      it => it.status === 'running',
    )
    await until(
      () => second.k8s.getCluster({ clusterId: made.clusterId }),
      it => it.status === 'pool_required',
    )
    assert.is(world.of('serverOff').length, 1)
    assert.is(world.of('nodeDown').length, 2)
    assert.equal(second.scaleway.state().transitions, {})
    assert.equal(second.said, [])
  } finally {
    await second.close()
  }
})

test('a restart in the middle of a boot and of a pool makes nothing twice', async () => {
  const first = await openProject({ scale: slow })
  const made = await make(first)
  await first.k8s.updatePool({ poolId: made.poolId, size: 3 })
  await first.instance.serverAction({ serverId: made.serverId, action: 'reboot' })
  await sleep(5)
  const saved = JSON.parse(JSON.stringify(first.scaleway.state()))
  await first.close()
  const world = recorder()
  const second = await openProject({ scale: slow, saved, world })
  try {
    await second.scaleway.reconcile()
    await until(
      () => second.k8s.getPool({ poolId: made.poolId }),
      it => it.status === 'ready',
    )
    const nodes = await second.k8s.listNodes({ clusterId: made.clusterId }).all()
    assert.is(nodes.length, 3)
    assert.is(new Set(world.of<{ id: string }>('nodeUp').map(it => it.id)).size, 3)
    assert.is(new Set(world.of<{ address: string }>('nodeUp').map(it => it.address)).size, 3)
    const { server } = await second.instance.getServer({ serverId: made.serverId })
    assert.is(server!.state, 'running')
  } finally {
    await second.close()
  }
})

const failures: { port: string; act(project: Project): Promise<() => Promise<string>>; ends: string }[] = [
  {
    port: 'gatewayUp',
    ends: 'failed',
    async act({ gateways }) {
      const wanted = { name: 'g', type: 'VPC-GW-S', enableSmtp: false, enableBastion: false }
      const { id: gatewayId } = await gateways.createGateway(wanted)
      return async () => (await gateways.getGateway({ gatewayId })).status
    },
  },
  {
    port: 'serverUp',
    ends: 'locked',
    async act({ instance, marketplace }) {
      const { localImages } = await marketplace.listLocalImages({ imageLabel: 'ubuntu_jammy', zone: 'fr-par-1' })
      const { server } = await instance.createServer({
        ...{ name: 's', commercialType: 'DEV1-M', image: localImages.find(it => it.arch === 'x86_64')!.id },
        ...{ dynamicIpRequired: true, volumes: { 0: { volumeType: 'sbs_volume' } }, protected: false },
      })
      await instance.serverAction({ serverId: server!.id, action: 'poweron' })
      return async () => (await instance.getServer({ serverId: server!.id })).server!.state
    },
  },
  {
    port: 'create',
    ends: 'locked',
    async act({ vpc, k8s }) {
      const wanted = { name: 'n', subnets: ['10.9.0.0/22'], defaultRoutePropagationEnabled: false }
      const { id: privateNetworkId } = await vpc.createPrivateNetwork(wanted)
      const { id: clusterId } = await k8s.createCluster({
        ...{ name: 'c', type: '', description: '', version: '1.34.1', cni: 'cilium', privateNetworkId },
      })
      return async () => (await k8s.getCluster({ clusterId })).status
    },
  },
  {
    port: 'nodeUp',
    ends: 'warning',
    async act({ vpc, k8s, raw }) {
      const wanted = { name: 'n', subnets: ['10.9.0.0/22'], defaultRoutePropagationEnabled: false }
      const { id: privateNetworkId } = await vpc.createPrivateNetwork(wanted)
      const { id: clusterId } = await k8s.createCluster({
        ...{ name: 'c', type: '', description: '', version: '1.34.1', cni: 'cilium', privateNetworkId },
      })
      await until(
        () => k8s.getCluster({ clusterId }),
        it => it.status === 'pool_required',
      )
      const pool = { name: 'p', node_type: 'DEV1-M', size: 1 }
      const { json } = await raw('POST', `/k8s/v1/regions/fr-par/clusters/${clusterId}/pools`, pool)
      return async () => (await k8s.getPool({ poolId: json.id })).status
    },
  },
]

for (const { port, act, ends } of failures) {
  test(`when ${port} fails the resource is ${ends} and the reason is said`, async () => {
    const project = await openProject()
    try {
      project.world.failing.set(port, 'no such cable')
      const look = await act(project)
      await until(look, it => it === ends)
      assert.is(project.said.length, 1)
      assert.match(project.said[0]!, /no such cable/)
    } finally {
      await project.close()
    }
  })
}

test('a network that cannot be made is not there, and the answer says why', async () => {
  const project = await openProject()
  try {
    project.world.failing.set('networkUp', 'no bridge')
    const { status, json } = await project.raw('POST', '/vpc/v2/regions/fr-par/private-networks', { name: 'n' })
    assert.is(status, 500)
    assert.match(json.message, /no bridge/)
    assert.equal(project.scaleway.state().private_networks, {})
  } finally {
    await project.close()
  }
})
