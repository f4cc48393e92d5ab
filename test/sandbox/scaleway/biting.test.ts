import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { openProject, type Project, refusal, until, untilGone } from './project.ts'

const { test, before, after } = suite('sandbox scaleway: what bites')

let project: Project
before(async () => {
  project = await openProject({ scale: 0.01 })
})
after(() => project.close())

const region = '/vpc/v2/regions/fr-par'
const uuid = '99999999-9999-4999-8999-999999999999'

const addNetwork = async (cidr = '172.16.28.0/22') => {
  const vpc = await project.vpc.createVPC({ name: 'main', enableRouting: true })
  return project.vpc.createPrivateNetwork({
    ...{ name: 'main', vpcId: vpc.id, subnets: [cidr], defaultRoutePropagationEnabled: false },
  })
}
const addGateway = async () => {
  const { id } = await project.gateways.createGateway({
    ...{ name: 'gw', type: 'VPC-GW-S', enableSmtp: false, enableBastion: false },
  })
  await settled(id)
  return id
}
const settled = (gatewayId: string) =>
  until(
    () => project.gateways.getGateway({ gatewayId }),
    it => it.status === 'running',
  )
const imageId = async (label = 'ubuntu_noble', type = 'PLAY2-PICO') =>
  (
    await project.marketplace.listLocalImages({ imageLabel: label, zone: 'fr-par-1', type: 'instance_sbs' })
  ).localImages.find(it => it.compatibleCommercialTypes.includes(type))!.id
const addServer = async (fields: object = {}) => {
  const { server } = await project.instance.createServer({
    ...{ name: 'srv', commercialType: 'PLAY2-PICO', image: await imageId(), dynamicIpRequired: false },
    ...{ volumes: { 0: { volumeType: 'sbs_volume' } }, protected: false, ...fields },
  })
  return server!
}
const stateOf = async (serverId: string) => (await project.instance.getServer({ serverId })).server!.state
const boot = async (serverId: string) => {
  await project.instance.serverAction({ serverId, action: 'poweron' })
  await until(
    () => stateOf(serverId),
    it => it === 'running',
  )
}

for (const { what, token, reason } of [
  { what: 'no token', token: '', reason: 'invalid_argument' },
  { what: 'a wrong token', token: uuid, reason: 'not_found' },
]) {
  test(`${what} is 401`, async () => {
    const { status, json } = await project.raw('GET', `${region}/vpcs`, undefined, { 'x-auth-token': token })
    assert.is(status, 401)
    assert.equal(json, {
      ...{ type: 'denied_authentication', method: 'api_key', reason, message: 'authentication is denied' },
    })
  })
}

for (const [path, resource] of [
  [`${region}/vpcs/${uuid}`, 'vpc'],
  [`${region}/private-networks/${uuid}`, 'private_network'],
  [`/ipam/v1/regions/fr-par/ips/${uuid}`, 'ip'],
  [`/vpc-gw/v2/zones/fr-par-1/ips/${uuid}`, 'ip'],
  [`/vpc-gw/v2/zones/fr-par-1/gateways/${uuid}`, 'gateway'],
  [`/vpc-gw/v2/zones/fr-par-1/gateway-networks/${uuid}`, 'gateway_network'],
  [`/instance/v1/zones/fr-par-1/servers/${uuid}`, 'instance_server'],
  [`/instance/v1/zones/fr-par-1/servers/${uuid}/private_nics`, 'instance_server'],
  [`/instance/v1/zones/fr-par-1/ips/${uuid}`, 'instance_ip'],
  [`/instance/v1/zones/fr-par-1/security_groups/${uuid}`, 'instance_security_group'],
  [`/instance/v1/zones/fr-par-1/volumes/${uuid}`, 'instance_volume'],
  [`/block/v1/zones/fr-par-1/volumes/${uuid}`, 'volume'],
  [`/k8s/v1/regions/fr-par/clusters/${uuid}`, 'cluster'],
  [`/k8s/v1/regions/fr-par/pools/${uuid}`, 'pool'],
  [`/iam/v1alpha1/ssh-keys/${uuid}`, 'ssh_key'],
  [`/account/v3/projects/${uuid}`, 'project_id'],
] as const) {
  test(`404 says ${resource} at ${path.split('/').slice(1, 3).join('/')} ${path.split('/').at(-2)}`, async () => {
    const { status, json } = await project.raw('GET', path)
    assert.is(status, 404)
    assert.equal(json, { type: 'not_found', message: 'resource is not found', resource, resource_id: uuid })
  })
}

test('content type is application/json and nothing more; instance JSON has spaces', async () => {
  const vpc = await project.raw('GET', `${region}/vpcs`)
  assert.is(vpc.headers.get('content-type'), 'application/json')
  assert.match(vpc.text, /^\{"vpcs":\[/)
  const servers = await project.raw('GET', '/instance/v1/zones/fr-par-1/ips')
  assert.is(servers.text, '{"ips": []}')
  assert.is(servers.headers.get('x-total-count'), '0')
})

test('twins are accepted, names match by substring, tags by any (newer) and all (instance)', async () => {
  const { vpc, instance } = project
  const tagged = (tags: string[]) => vpc.createVPC({ name: 'twin-vpc', tags, enableRouting: false })
  const first = await tagged(['a', 'b'])
  const second = await tagged(['b', 'c'])
  assert.is(first.routingEnabled, true, 'enable_routing false is ignored')
  assert.is((await vpc.listVPCs({ name: 'win-v' })).totalCount, 2)
  assert.is((await vpc.listVPCs({ name: 'win-v', tags: ['a', 'c'] })).totalCount, 2)
  assert.is((await vpc.listVPCs({ name: 'win-v', tags: ['a'] })).totalCount, 1)
  for (const { id } of [first, second]) await vpc.deleteVPC({ vpcId: id })
  for (const tags of [['a', 'b'], ['b']]) await instance.createSecurityGroup({ ...group, name: 'twin', tags })
  assert.is((await instance.listSecurityGroups({ name: 'twin', tags: ['a', 'b'] })).totalCount, 1)
  assert.is((await instance.listSecurityGroups({ name: 'twin', tags: ['b'] })).totalCount, 2)
})
const group = {
  ...{ description: '', stateful: true },
  ...({ inboundDefaultPolicy: 'drop', outboundDefaultPolicy: 'accept' } as const),
}

test('lists come in pages, and never more than 100 in one', async () => {
  for (let index = 0; index < 105; index++) await project.vpc.createVPC({ name: `many-${index}`, enableRouting: true })
  const sizes = { none: '', most: '&page_size=500', second: '&page_size=100&page=2' }
  const seen: Record<string, number> = {}
  for (const [name, query] of Object.entries(sizes)) {
    const { json } = await project.raw('GET', `${region}/vpcs?name=many-${query}`)
    assert.is(json.total_count, 105)
    seen[name] = json.vpcs.length
  }
  assert.equal(seen, { none: 20, most: 100, second: 5 })
  assert.is((await project.vpc.listVPCs({ name: 'many-' }).all()).length, 105)
})

test('automatic addresses begin at +2, so a late booking collides', async () => {
  const network = await addNetwork()
  const { ipam } = project
  const book = (address?: string) =>
    ipam.bookIP({ source: { privateNetworkId: network.id }, isIpv6: false, ...(address ? { address } : {}) })
  const ips = [await book(), await book(), await book('172.16.28.5'), await book(), await book()]
  assert.equal(
    ips.map(it => it.address),
    ['172.16.28.2/22', '172.16.28.3/22', '172.16.28.5/22', '172.16.28.4/22', '172.16.28.6/22'],
  )
  for (const { address, status } of [
    { address: '172.16.28.5', status: 409 },
    { address: '172.16.28.1', status: 400 },
    { address: '172.16.31.254', status: 400 },
    { address: '10.0.0.1', status: 400 },
    { address: 'nonsense', status: 400 },
  ])
    assert.is((await refusal(book(address))).status, status, address)
  const inUse = await refusal(project.vpc.deletePrivateNetwork({ privateNetworkId: network.id }))
  assert.is(inUse.status, 412)
  assert.is(inUse.body.precondition, 'resource_still_in_use')
  assert.is((await refusal(project.vpc.deleteVPC({ vpcId: network.vpcId }))).status, 412)
  await ipam.releaseIPSet({ ipIds: ips.map(it => it.id) })
  await project.vpc.deletePrivateNetwork({ privateNetworkId: network.id })
  await project.vpc.deleteVPC({ vpcId: network.vpcId })
})

for (const [cidr, status] of [
  ['172.16.28.0/22', 200],
  ['172.16.28.1/22', 400],
  ['100.64.4.0/22', 400],
  ['169.254.0.0/24', 400],
  ['010.0.0.0/24', 400],
  ['10.0.0.0/30', 400],
] as const) {
  test(`a private network ${cidr}: ${status}`, async () => {
    const vpc = await project.vpc.createVPC({ name: 'main', enableRouting: true })
    const answer = await project.raw('POST', `${region}/private-networks`, { vpc_id: vpc.id, subnets: [cidr] })
    assert.is(answer.status, status)
    if (status === 200) assert.is(answer.json.subnets.length, 2)
  })
}

test('a gateway answers PATCH with a stale running and refuses the next change', async () => {
  const gatewayId = await addGateway()
  const { gateways } = project
  const patched = await gateways.updateGateway({ gatewayId, enableBastion: true })
  assert.is(patched.status, 'running')
  assert.is((await gateways.getGateway({ gatewayId })).status, 'configuring')
  const busy = await refusal(gateways.updateGateway({ gatewayId, name: 'other' }))
  assert.is(busy.status, 409)
  assert.is(busy.body.type, 'transient_state')
  assert.equal(
    [busy.body.resource, busy.body.resource_id, busy.body.current_state],
    ['gateway', gatewayId, 'configuring'],
  )
  await settled(gatewayId)
  await gateways.upgradeGateway({ gatewayId, type: 'VPC-GW-M' })
  const seen = new Set<string>()
  await until(
    async () => {
      const { status } = await gateways.getGateway({ gatewayId })
      seen.add(status)
      return status
    },
    it => it === 'running',
  )
  assert.equal([...seen], ['failed', 'configuring', 'running'])
})

test('a gateway network is created without a MAC, has its address, and swaps it', async () => {
  const network = await addNetwork()
  const gatewayId = await addGateway()
  const { gateways, ipam, raw } = project
  const body = {
    gateway_id: gatewayId,
    private_network_id: network.id,
    enable_masquerade: true,
    push_default_route: true,
  }
  const { json: link } = await raw('POST', '/vpc-gw/v2/zones/fr-par-1/gateway-networks', body)
  assert.is(link.status, 'created')
  assert.is('mac_address' in link, false)
  assert.is(link.masquerade_enabled, true)
  const automatic = await ipam.getIP({ ipId: link.ipam_ip_id })
  assert.is(automatic.address, '172.16.28.2/22')
  assert.is((await raw('POST', '/vpc-gw/v2/zones/fr-par-1/gateway-networks', body)).status, 409, 'gateway is busy')
  const look = () => gateways.getGatewayNetwork({ gatewayNetworkId: link.id })
  const ready = await until(look, it => it.status === 'ready')
  assert.match(ready.macAddress!, /^02:00:00(:[0-9A-F]{2}){3}$/)
  await settled(gatewayId)
  const booked = await ipam.bookIP({ source: { privateNetworkId: network.id }, isIpv6: false, address: '172.16.28.9' })
  await gateways.updateGatewayNetwork({ gatewayNetworkId: link.id, ipamIpId: booked.id })
  await until(look, it => it.status === 'ready')
  assert.is((await refusal(ipam.getIP({ ipId: link.ipam_ip_id }))).status, 404, 'the automatic one is gone')
  assert.is((await refusal(ipam.releaseIP({ ipId: booked.id }))).status, 412, 'an attached one stays')
  assert.is((await refusal(gateways.deleteGateway({ gatewayId, deleteIp: true }))).status, 412)
  await gateways.deleteGatewayNetwork({ gatewayNetworkId: link.id })
  await untilGone(look)
  await settled(gatewayId)
  assert.is((await ipam.getIP({ ipId: booked.id })).resource, undefined)
  await gateways.deleteGateway({ gatewayId, deleteIp: true })
  await untilGone(() => gateways.getGateway({ gatewayId }))
})

test('security group rules are normalised, and mail ports closed beside them', async () => {
  const { instance } = project
  const { securityGroup } = await instance.createSecurityGroup({ ...group, name: 'sg' })
  const rule = (ip_range: string, fields: object) => ({ action: 'accept', direction: 'inbound', ip_range, ...fields })
  const path = `/instance/v1/zones/fr-par-1/security_groups/${securityGroup!.id}/rules`
  const put = await project.raw('PUT', path, {
    rules: [
      rule('8.8.8.8/32', { protocol: 'TCP', dest_port_from: 22, dest_port_to: 22 }),
      rule('2001:db8::1/128', { protocol: 'UDP', dest_port_from: 1, dest_port_to: 9 }),
      rule('0.0.0.0/0', { protocol: 'ICMP', dest_port_from: 3, dest_port_to: 4 }),
    ],
  })
  const { json, headers } = await project.raw('GET', `${path}?per_page=100`)
  assert.equal(put.json, json)
  assert.is(headers.get('x-total-count'), null)
  assert.equal(json.rules.filter((it: { editable: boolean }) => !it.editable).length, 6)
  assert.equal(
    json.rules
      .filter((it: { editable: boolean }) => it.editable)
      .map((it: Record<string, unknown>) => [it.ip_range, it.dest_port_from, it.dest_port_to, it.position]),
    [
      ['8.8.8.8', 22, null, 1],
      ['2001:db8::1', 1, 9, 2],
      ['0.0.0.0/0', null, null, 3],
    ],
  )
  assert.is((await project.raw('PUT', path, { rules: [rule('1.2.3.4/33', { protocol: 'TCP' })] })).status, 400)
  const server = await addServer({ securityGroup: securityGroup!.id })
  const used = await refusal(instance.deleteSecurityGroup({ securityGroupId: securityGroup!.id }))
  assert.match(String(used.body.message), /group is in use/)
  await instance.deleteServer({ serverId: server.id })
  await instance.deleteSecurityGroup({ securityGroupId: securityGroup!.id })
})

test('a server says all that is missing, and what does not fit', async () => {
  const path = '/instance/v1/zones/fr-par-1/servers'
  const empty = await project.raw('POST', path, { name: 'x' })
  assert.is(empty.status, 400)
  assert.equal(
    empty.json.details.map((it: { argument_name: string }) => it.argument_name),
    ['commercial_type', 'image', 'volumes'],
  )
  const arm = await imageId('debian_bookworm', 'BASIC2-A2C-4G')
  const wrong = await project.raw('POST', path, { commercial_type: 'PLAY2-PICO', image: arm, volumes: {} })
  assert.is(wrong.status, 400)
  const other = await project.raw('POST', path, {
    project: 'elsewhere',
    commercial_type: 'DEV1-M',
    image: arm,
    volumes: {},
  })
  assert.is(other.status, 403)
})

test('terminate leaves the volume and the flexible IP, and takes the NIC', async () => {
  const { instance, block, ipam, world } = project
  const network = await addNetwork()
  const { ip } = await instance.createIp({ type: 'routed_ipv4' })
  const server = await addServer({ publicIps: [ip!.id] })
  const serverId = server.id
  const { privateNic } = await instance.createPrivateNIC({ serverId, privateNetworkId: network.id, ipamIpIds: [] })
  assert.is(privateNic!.state, 'available')
  const nics = await project.raw('GET', `/instance/v1/zones/fr-par-1/servers/${serverId}/private_nics`)
  assert.is(nics.json.private_nics[0].ipam_ip_ids.length, 2)
  const volumeId = server.volumes['0']!.id
  assert.match((await block.getVolume({ volumeId })).name, /^Ubuntu 24.04 .*_sbs_volume_0$/)
  assert.is((await refusal(instance.serverAction({ serverId, action: 'terminate' }))).status, 400)
  await boot(serverId)
  assert.is((await refusal(instance.deleteServer({ serverId }))).status, 400)
  await instance.serverAction({ serverId, action: 'terminate' })
  assert.is(await stateOf(serverId), 'stopping')
  await untilGone(() => stateOf(serverId))
  assert.is((await block.getVolume({ volumeId })).status, 'in_use')
  assert.is((await refusal(block.deleteVolume({ volumeId }))).status, 412)
  await until(
    () => block.getVolume({ volumeId }),
    it => it.status === 'available',
  )
  assert.is((await instance.getIp({ ip: ip!.id })).ip!.state, 'detached')
  assert.is((await ipam.listIPs({ privateNetworkId: network.id })).totalCount, 0)
  assert.ok(world.of<string>('serverDelete').includes(serverId))
})

test('protected servers, user data, and what a running server follows', async () => {
  const { instance, raw, world } = project
  const network = await addNetwork()
  const server = await addServer({ protected: true })
  const serverId = server.id
  const path = `/instance/v1/zones/fr-par-1/servers/${serverId}`
  const absent = await raw('GET', `${path}/user_data/cloud-init`)
  assert.equal([absent.status, absent.text, absent.headers.get('content-type')], [404, '', 'text/plain'])
  const set = await raw('PATCH', `${path}/user_data/cloud-init`, '#cloud-config\n{', { 'content-type': 'text/plain' })
  assert.is(set.status, 204)
  assert.is((await raw('GET', `${path}/user_data/cloud-init`)).text, '#cloud-config\n{')
  await boot(serverId)
  const refused = await refusal(instance.serverAction({ serverId, action: 'poweroff' }))
  assert.equal([refused.status, refused.body.precondition], [400, 'protected_resource'])

  const specs = () =>
    world.of<{ id: string; nics: object[]; publicIps: string[] }>('serverUp').filter(it => it.id === serverId)
  const { privateNic } = await instance.createPrivateNIC({ serverId, privateNetworkId: network.id, ipamIpIds: [] })
  assert.is(privateNic!.state, 'syncing')
  const privateNicId = privateNic!.id
  await until(
    () => instance.getPrivateNIC({ serverId, privateNicId }),
    it => it.privateNic!.state === 'available',
  )
  assert.is(specs().at(-1)!.nics.length, 1)
  const { ip } = await instance.createIp({ type: 'routed_ipv4' })
  await instance.updateServer({ serverId, publicIps: [ip!.id] })
  await until(
    async () => specs().at(-1)!.publicIps,
    it => it[0] === ip!.address,
  )
  await instance.deleteIp({ ip: ip!.id })
  await until(
    async () => specs().at(-1)!.publicIps,
    it => it.length === 0,
  )
  const { securityGroup } = await instance.createSecurityGroup({ ...group, name: 'late' })
  const securityGroupId = securityGroup!.id
  await instance.updateServer({ serverId, securityGroup: { id: securityGroupId, name: 'late' }, protected: false })
  const before = specs().length
  await instance.updateSecurityGroup({ securityGroupId, inboundDefaultPolicy: 'accept' })
  const looked = () => instance.getSecurityGroup({ securityGroupId })
  await until(looked, it => it.securityGroup!.state === 'available')
  assert.ok(specs().length > before, 'the server was told of the new policy')
})

test('a cluster waits for a pool; public-less nodes wait for a gateway', async () => {
  const { k8s, raw } = project
  const network = await addNetwork('172.16.40.0/22')
  const path = '/k8s/v1/regions/fr-par/clusters'
  const wanted = { name: 'c', version: '1.34.1', cni: 'cilium' }
  assert.is((await raw('POST', path, wanted)).status, 400, 'a private network is needed')
  const body = { ...wanted, private_network_id: network.id, type: '' }
  for (const { fields, status } of [
    { fields: { version: '1.34' }, status: 400 },
    { fields: { cni: 'flannel' }, status: 400 },
    { fields: { pod_cidr: '172.16.40.0/20' }, status: 400 },
    { fields: { service_cidr: '100.64.0.0/20' }, status: 400 },
  ])
    assert.is((await raw('POST', path, { ...body, ...fields })).status, status, JSON.stringify(fields))
  const { json: cluster } = await raw('POST', path, { ...body, version: '1.34', auto_upgrade: { enable: true } })
  assert.equal([cluster.status, cluster.type, cluster.version], ['creating', 'kapsule', '1.34.1'])
  assert.equal([cluster.pod_cidr, cluster.service_dns_ip], ['100.64.0.0/15', '10.32.0.10'])
  assert.is((await raw('POST', path, body)).status, 409, 'names of clusters are unique')
  const pools = `${path}/${cluster.id}/pools`
  const pool = { name: 'p', node_type: 'DEV1-M', size: 1, public_ip_disabled: true }
  assert.is((await raw('POST', pools, pool)).json.current_state, 'creating')
  const clusterId = cluster.id
  await until(
    () => k8s.getCluster({ clusterId }),
    it => it.status === 'pool_required',
  )
  assert.is((await raw('POST', pools, { ...pool, node_type: 'DEV1-S' })).status, 400)
  const { json: made } = await raw('POST', pools, {
    ...pool,
    taints: [{ key: 'z' }, { key: 'a', effect: 'NoExecute' }],
  })
  assert.equal([made.status, made.node_type], ['scaling', 'dev1_m'])
  assert.equal(
    made.taints.map((it: { key: string }) => it.key),
    ['a', 'z'],
  )
  assert.is((await raw('POST', pools, pool)).status, 409, 'names of pools are unique in a cluster')
  await sleep(600)
  assert.is((await k8s.getPool({ poolId: made.id })).status, 'scaling')
  assert.equal((await k8s.listNodes({ clusterId })).nodes, [])
  const gatewayId = await addGateway()
  await project.gateways.createGatewayNetwork({
    ...{ gatewayId, privateNetworkId: network.id, enableMasquerade: true, pushDefaultRoute: true },
  })
  await until(
    () => k8s.getPool({ poolId: made.id }),
    it => it.status === 'ready',
  )
  const put = await raw('PUT', `/k8s/v1/regions/fr-par/pools/${made.id}/set-labels`, { labels: { team: 'x' } })
  assert.equal(put.json.labels, { team: 'x' })
  const told = () => project.world.of<[string, string, { labels: Record<string, string> }]>('updateNode')
  await until(
    async () => told().at(-1)?.[2].labels.team,
    it => it === 'x',
  )
  await k8s.updatePool({ poolId: made.id, size: 2 })
  const nodes = () => k8s.listNodes({ clusterId })
  await until(nodes, it => it.totalCount === 2)
  await until(
    () => k8s.getPool({ poolId: made.id }),
    it => it.status === 'ready',
  )
  await k8s.updatePool({ poolId: made.id, size: 1 })
  await until(nodes, it => it.totalCount === 1)
  const [server] = (await project.instance.listServers({ tags: [`kapsule=${clusterId}`] })).servers
  assert.is((await refusal(project.instance.serverAction({ serverId: server!.id, action: 'terminate' }))).status, 412)
})

test('with_additional_resources takes the network too', async () => {
  const network = await addNetwork('172.16.44.0/22')
  const { k8s, vpc } = project
  const { id: clusterId } = await k8s.createCluster({
    ...{ name: 'last', type: '', description: '', version: '1.34.1', cni: 'cilium', privateNetworkId: network.id },
  })
  await until(
    () => k8s.getCluster({ clusterId }),
    it => it.status === 'pool_required',
  )
  await k8s.deleteCluster({ clusterId, withAdditionalResources: true })
  await untilGone(() => k8s.getCluster({ clusterId }))
  await untilGone(() => vpc.getPrivateNetwork({ privateNetworkId: network.id }))
})
