import * as assert from 'uvu/assert'
import { type Project, until } from './project.ts'

export const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGoA0sbW5Yq0Y4xq2r6O3y1mC8o5w0oQz7dB1s2f3g4h me@here'

/** Everything a deploy makes, with the waits it needs. */
export const make = async (project: Project) => {
  const { vpc, ipam, gateways, instance, block, k8s, marketplace, iam, client } = project
  await iam.createSSHKey({ name: 'me', publicKey: key })
  const { id: vpcId } = await vpc.createVPC({ name: 'egress', tags: ['t'], enableRouting: true })
  const network = await vpc.createPrivateNetwork({
    ...{ name: 'egress', vpcId, subnets: ['172.16.28.0/22'], tags: ['t'], defaultRoutePropagationEnabled: false },
  })
  const booked = await ipam.bookIP({ source: { privateNetworkId: network.id }, isIpv6: false, address: '172.16.28.8' })

  const gatewayIp = await gateways.createIP({ tags: ['t'] })
  const gateway = await gateways.createGateway({
    ...{ name: 'egress', tags: ['t'], type: 'VPC-GW-S', ipId: gatewayIp.id, enableSmtp: false, enableBastion: true },
  })
  const running = () =>
    until(
      () => gateways.getGateway({ gatewayId: gateway.id }),
      it => it.status === 'running',
    )
  assert.is(gateway.status, 'allocating')
  await running()
  const link = await gateways.createGatewayNetwork({
    ...{ gatewayId: gateway.id, privateNetworkId: network.id, enableMasquerade: true, pushDefaultRoute: true },
  })
  const look = () => gateways.getGatewayNetwork({ gatewayNetworkId: link.id })
  await until(look, it => it.status === 'ready')
  await running()
  await gateways.setBastionAllowedIPs({ gatewayId: gateway.id, ipRanges: ['198.51.100.0/24'] })
  await running()

  const { securityGroup } = await instance.createSecurityGroup({
    ...{ name: 'proxy', description: '', tags: ['t'], stateful: true },
    ...{ inboundDefaultPolicy: 'drop', outboundDefaultPolicy: 'accept' },
  })
  await instance.setSecurityGroupRules({
    securityGroupId: securityGroup!.id,
    rules: [
      {
        ...{ action: 'accept', protocol: 'TCP', direction: 'inbound', ipRange: '203.0.113.7/32' },
        ...{ destPortFrom: 22, destPortTo: 22, position: 1 },
      },
    ],
  })
  const { ip } = await instance.createIp({ type: 'routed_ipv4', tags: ['t'] })
  const { localImages } = await marketplace.listLocalImages({ imageLabel: 'ubuntu_noble', zone: 'fr-par-1' })
  const image = localImages.find(
    it => it.type === 'instance_sbs' && it.compatibleCommercialTypes.includes('PLAY2-PICO'),
  )!
  const { server } = await instance.createServer({
    ...{ name: 'proxy-a', tags: ['t'], commercialType: 'PLAY2-PICO', image: image.id, dynamicIpRequired: false },
    ...{ volumes: { 0: { size: 10_000_000_000, volumeType: 'sbs_volume', boot: true } }, protected: false },
    ...{ publicIps: [ip!.id], securityGroup: securityGroup!.id },
  })
  const serverId = server!.id
  await block.updateVolume({ volumeId: server!.volumes['0']!.id, tags: ['t'] })
  await instance.createPrivateNIC({ serverId, privateNetworkId: network.id, ipamIpIds: [booked.id] })
  await instance.setServerUserData({ serverId, key: 'cloud-init', content: '#cloud-config\n' })
  await instance.serverAction({ serverId, action: 'poweron' })
  await until(
    () => instance.getServer({ serverId }),
    it => it.server!.state === 'running',
  )

  const cluster = await k8s.createCluster({
    ...{ name: 'shared', type: '', description: '', version: '1.34.1', cni: 'cilium', privateNetworkId: network.id },
  })
  await until(
    () => k8s.getCluster({ clusterId: cluster.id }),
    it => it.status === 'pool_required',
  )
  const pool = await client.fetch<{ id: string }>({
    method: 'POST',
    path: `/k8s/v1/regions/fr-par/clusters/${cluster.id}/pools`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ name: 'client-a', node_type: 'DEV1-M', size: 2, min_size: 1, max_size: 2, public_ip_disabled: true },
      labels: { 'node-pool': 'client-a-pool' },
      taints: [{ key: 'node-role.kubernetes.io/client-a', value: 'dedicated', effect: 'NoSchedule' }],
    }),
  })
  await until(
    () => k8s.getPool({ poolId: pool.id }),
    it => it.status === 'ready',
  )
  await until(
    () => k8s.getCluster({ clusterId: cluster.id }),
    it => it.status === 'ready',
  )
  return {
    ...{ vpcId, networkId: network.id, bookedId: booked.id, gatewayIpId: gatewayIp.id, gatewayId: gateway.id },
    ...{ linkId: link.id, groupId: securityGroup!.id, ipId: ip!.id, ip: ip!.address, serverId },
    ...{ volumeId: server!.volumes['0']!.id, clusterId: cluster.id, poolId: pool.id },
  }
}
