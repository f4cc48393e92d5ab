import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { openProject, type Project, until, untilGone } from './project.ts'
import { key, make } from './whole-order.ts'

const { test } = suite('sandbox scaleway: the whole order, made and unmade')

const unmake = async (project: Project, made: Awaited<ReturnType<typeof make>>) => {
  const { vpc, ipam, gateways, instance, block, k8s, iam } = project
  const { poolId, clusterId, serverId, volumeId, gatewayId } = made
  assert.is((await k8s.deletePool({ poolId })).status, 'deleting')
  await untilGone(() => k8s.getPool({ poolId }))
  assert.is((await k8s.getCluster({ clusterId })).status, 'pool_required')
  await k8s.deleteCluster({ clusterId, withAdditionalResources: false })
  await untilGone(() => k8s.getCluster({ clusterId }))
  await instance.serverAction({ serverId, action: 'terminate' })
  await untilGone(() => instance.getServer({ serverId }))
  await until(
    () => block.getVolume({ volumeId }),
    it => it.status === 'available',
  )
  await block.deleteVolume({ volumeId })
  await instance.deleteIp({ ip: made.ipId })
  await instance.deleteSecurityGroup({ securityGroupId: made.groupId })
  assert.is((await gateways.deleteGatewayNetwork({ gatewayNetworkId: made.linkId })).status, 'detaching')
  await untilGone(() => gateways.getGatewayNetwork({ gatewayNetworkId: made.linkId }))
  await until(
    () => gateways.getGateway({ gatewayId }),
    it => it.status === 'running',
  )
  await gateways.deleteGateway({ gatewayId, deleteIp: false })
  await untilGone(() => gateways.getGateway({ gatewayId }))
  await gateways.deleteIP({ ipId: made.gatewayIpId })
  await ipam.releaseIP({ ipId: made.bookedId })
  await vpc.deletePrivateNetwork({ privateNetworkId: made.networkId })
  await vpc.deleteVPC({ vpcId: made.vpcId })
  for (const one of await iam.listSSHKeys().all()) await iam.deleteSSHKey({ sshKeyId: one.id })
}

test('is made through the SDK, acts on the world, and leaves nothing', async () => {
  const project = await openProject()
  try {
    const made = await make(project)
    const { of } = project.world
    const { k8s, instance, ipam } = project

    const server = of<{ nics: object[]; publicIps: string[] }>('serverUp').at(-1)!
    assert.equal(server.publicIps, ['203.0.113.100'])
    assert.is(made.ip, '203.0.113.100')
    const [nic] = server.nics as { address: string; defaultRoute: string; mac: string }[]
    assert.is(nic!.address, '172.16.28.8/22')
    assert.is(nic!.defaultRoute, '172.16.28.2')
    assert.match(nic!.mac, /^02:00:00(:[0-9a-f]{2}){3}$/)
    assert.equal((server as unknown as { authorizedKeys: string[] }).authorizedKeys, [key])
    assert.is((server as unknown as { userData: string }).userData, '#cloud-config\n')
    assert.equal((server as unknown as { securityGroup: { rules: object[] } }).securityGroup.rules.at(-1), {
      ...{ direction: 'inbound', action: 'accept', protocol: 'TCP', ipRange: '203.0.113.7/32' },
      ...{ portFrom: 22, portTo: 22 },
    })
    const gateway = of<{ bastion: object; networks: object[]; publicIp: string }>('gatewayUp').at(-1)!
    assert.is(gateway.publicIp, '203.0.113.10')
    assert.equal(gateway.bastion, {
      ...{ enabled: true, port: 61000, allowedIps: ['198.51.100.0/24'], authorizedKeys: [key] },
    })
    assert.equal(gateway.networks, [
      { networkId: made.networkId, address: '172.16.28.2/22', masquerade: true, defaultRoute: true },
    ])
    assert.is(of('nodeUp').length, 2)
    assert.is(of<{ defaultRoute: string }>('nodeUp')[0]!.defaultRoute, '172.16.28.2')
    const [, joined] = of<[string, { name: string; labels: Record<string, string>; taints: object[] }]>('addNode')[0]!
    assert.match(joined.name, /^scw-shared-client-a-[0-9a-f]{6}$/)
    assert.is(joined.labels['k8s.scaleway.com/pool-name'], 'client-a')
    assert.is(joined.labels['node.kubernetes.io/instance-type'], 'DEV1-M')
    assert.is(joined.labels['node-pool'], 'client-a-pool')
    assert.equal(joined.taints, [{ key: 'node-role.kubernetes.io/client-a', value: 'dedicated', effect: 'NoSchedule' }])

    const nodes = await k8s.listNodes({ clusterId: made.clusterId, poolId: made.poolId }).all()
    assert.equal(
      nodes.map(it => [it.status, it.publicIpV4]),
      [
        ['ready', ''],
        ['ready', ''],
      ],
    )
    const instances = await instance.listServers({ tags: [`kapsule=${made.clusterId}`] }).all()
    assert.equal(
      instances.map(it => it.state),
      ['running', 'running'],
    )
    const held = await ipam.listIPs({ resourceName: nodes[0]!.name, isIpv6: false }).all()
    assert.equal(
      held.map(it => it.resource?.type),
      ['instance_private_nic'],
    )
    const file = await project.raw('GET', `/k8s/v1/regions/fr-par/clusters/${made.clusterId}/kubeconfig?dl=1`)
    assert.match(file.text, /^current-context: admin@shared\n/)
    const wrapped = await project.raw('GET', `/k8s/v1/regions/fr-par/clusters/${made.clusterId}/kubeconfig`)
    assert.is(Buffer.from(wrapped.json.content, 'base64').toString(), file.text)

    await unmake(project, made)
    const { transitions, sequence, ...tables } = project.scaleway.state()
    assert.equal(transitions, {})
    assert.ok(sequence > 0)
    for (const [name, rows] of Object.entries(tables)) assert.equal(rows, {}, `${name} is empty`)
    for (const [up, down] of [
      ['networkUp', 'networkDown'],
      ['gatewayUp', 'gatewayDown'],
      ['serverUp', 'serverDelete'],
      ['nodeUp', 'nodeDown'],
      ['create', 'delete'],
    ] as const) {
      const ids = (name: string) =>
        new Set(of<string | { id: string }>(name).map(it => (typeof it === 'string' ? it : it.id)))
      assert.equal([...ids(up)].sort(), [...ids(down)].sort(), `${down} for every ${up}`)
    }
    assert.is(of('removeNode').length, 2)
    assert.equal(project.said, [])
    assert.ok(project.changes() > 30)
    const calls = (await project.raw('GET', '/emulator/calls', undefined, { 'x-auth-token': '' })).json
    assert.is(calls['POST /vpc/v2/regions/:region/vpcs'], 1)
  } finally {
    await project.close()
  }
})
