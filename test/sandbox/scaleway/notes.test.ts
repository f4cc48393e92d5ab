import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { openProject, type Project, recorder, refusal, until, untilGone } from './project.ts'

const { test, before, after } = suite('sandbox scaleway: what bites, resource by resource')

const world = recorder()
let project: Project
let image = ''
before(async () => {
  project = await openProject({ scale: 0.005, world })
  const { localImages } = await project.marketplace.listLocalImages({
    ...{ imageLabel: 'ubuntu_noble', zone: 'fr-par-1', type: 'instance_sbs' },
  })
  assert.equal(new Set(localImages.map(it => it.arch)), new Set(['x86_64', 'arm64']), 'one label, both architectures')
  image = localImages.find(it => it.compatibleCommercialTypes.includes('DEV1-M'))!.id
})
after(() => project.close())

const [gw, vm, vpc] = ['/vpc-gw/v2/zones/fr-par-1', '/instance/v1/zones/fr-par-1', '/vpc/v2/regions/fr-par']
const k8s = '/k8s/v1/regions/fr-par'
const call = async (method: string, path: string, body?: unknown) => {
  const { status, json } = await project.raw(method, path, body)
  return { status, json }
}
const made = async (path: string, body: object) => {
  const { status, json } = await call('POST', path, body)
  assert.ok(status < 300, `${path}: ${JSON.stringify(json)}`)
  return json
}
const settled = (path: string, states: string[]) =>
  until(
    async () => (await call('GET', path)).json,
    it => states.includes(it.status ?? it.server?.state),
  )
type Answer = ReturnType<typeof call>
/** What follows `begin` at once is refused with the state; on a slow machine `begin` may be over by then, so again. */
const busy = (begin: () => Answer, then: () => Answer, state: string) =>
  until(
    async () => {
      await begin()
      return (await then()).json.current_state
    },
    it => it === state,
  )
const gone = async (path: string) => {
  await until(
    () => call('GET', path),
    it => it.status === 404,
  )
}
const addNetwork = async () => (await made(`${vpc}/private-networks`, { name: 'pn' })).id as string
const addGateway = async (body: object = {}) => {
  const it = await made(`${gw}/gateways`, { name: 'gw', type: 'VPC-GW-S', ...body })
  await settled(`${gw}/gateways/${it.id}`, ['running'])
  return it
}
const server = (body: object = {}) => ({ name: 'srv', commercial_type: 'DEV1-M', image, volumes: {}, ...body })
const addServer = async (body: object = {}) => (await made(`${vm}/servers`, server(body))).server
const act = (id: string, action: string) => call('POST', `${vm}/servers/${id}/action`, { action })
const boot = async (id: string) => {
  assert.is((await act(id, 'poweron')).status, 202)
  return (await settled(`${vm}/servers/${id}`, ['running'])).server
}

for (const { what, path, body, key, made: status, gone } of [
  { what: 'VPC', path: `${vpc}/vpcs`, body: { name: 'a' }, key: null, made: 200, gone: 204 },
  { what: 'private network', path: `${vpc}/private-networks`, body: { name: 'a' }, key: null, made: 200, gone: 204 },
  { what: 'gateway IP', path: `${gw}/ips`, body: {}, key: null, made: 200, gone: 204 },
  {
    what: 'SSH key',
    path: '/iam/v1alpha1/ssh-keys',
    body: { public_key: `ssh-rsa ${'A'.repeat(64)}` },
    key: null,
    made: 200,
    gone: 204,
  },
  { what: 'flexible IP', path: `${vm}/ips`, body: { type: 'routed_ipv4' }, key: 'ip', made: 201, gone: 204 },
  {
    what: 'security group',
    path: `${vm}/security_groups`,
    body: { name: 'a' },
    key: 'security_group',
    made: 201,
    gone: 204,
  },
]) {
  test(`${what}: ${status} made, ${gone} gone, then 404; a twin is accepted, unknown members are not kept`, async () => {
    const answer = await call('POST', path, { ...body, no_such_member: 1 })
    assert.is(answer.status, status)
    const one = key ? answer.json[key] : answer.json
    const twin = await call('POST', path, body)
    assert.is(twin.status, status)
    const second = key ? twin.json[key] : twin.json
    assert.is.not(one.id, second.id)
    assert.is('no_such_member' in one, false)
    for (const { id } of [one, second]) assert.is((await call('DELETE', `${path}/${id}`)).status, gone)
    assert.is((await call('DELETE', `${path}/${one.id}`)).status, 404)
  })
}

for (const cidr of [
  '10.0.0.0/19',
  '10.0.0.0/30',
  '0.0.0.0/22',
  '127.0.0.0/24',
  '100.64.0.0/22',
  '169.254.0.0/22',
  '224.0.0.0/22',
])
  test(`no private network is in ${cidr}`, async () => {
    const { id } = await made(`${vpc}/vpcs`, { name: 'ranges' })
    assert.is((await call('POST', `${vpc}/private-networks`, { vpc_id: id, subnets: [cidr] })).status, 400)
  })

test('the same range fits in two VPCs, not twice in one; the default VPC stays', async () => {
  const [one, two] = [await made(`${vpc}/vpcs`, { name: 'one' }), await made(`${vpc}/vpcs`, { name: 'two' })]
  const add = (vpc_id: string) => call('POST', `${vpc}/private-networks`, { vpc_id, subnets: ['10.8.0.0/22'] })
  assert.is((await add(one.id)).status, 200)
  assert.is((await add(two.id)).status, 200)
  assert.is((await add(one.id)).status, 400)
  await addNetwork()
  const { json } = await call('GET', `${vpc}/vpcs?is_default=true`)
  const { status, json: said } = await call('DELETE', `${vpc}/vpcs/${json.vpcs[0].id}`)
  assert.equal([status, said.type], [412, 'precondition_failed'])
})

test('a gateway without an ip_id makes one, which stays behind; its networks go while it is being deleted', async () => {
  const network = await addNetwork()
  const gateway = await addGateway()
  const ip = gateway.ipv4.id
  assert.is((await call('DELETE', `${gw}/ips/${ip}`)).status, 412, 'attached')
  const link = await made(`${gw}/gateway-networks`, { gateway_id: gateway.id, private_network_id: network })
  await settled(`${gw}/gateway-networks/${link.id}`, ['ready'])
  assert.is((await call('DELETE', `${vpc}/private-networks/${network}`)).status, 412)
  const detaching = await call('DELETE', `${gw}/gateway-networks/${link.id}`)
  assert.equal([detaching.status, detaching.json.status], [200, 'detaching'])
  await gone(`${gw}/gateway-networks/${link.id}`)
  await settled(`${gw}/gateways/${gateway.id}`, ['running'])
  const deleting = await call('DELETE', `${gw}/gateways/${gateway.id}?delete_ip=false`)
  assert.equal([deleting.status, deleting.json.status], [200, 'deleting'])
  assert.is((await call('DELETE', `${vpc}/private-networks/${network}`)).status, 204)
  await gone(`${gw}/gateways/${gateway.id}`)
  const left = await call('GET', `${gw}/ips/${ip}`)
  assert.equal([left.status, 'gateway_id' in left.json], [200, false])
})

test('a bastion knows the keys of when it was enabled or refreshed', async () => {
  const keys = '/iam/v1alpha1/ssh-keys'
  await made(keys, { name: 'early', public_key: `ssh-rsa ${'A'.repeat(64)}` })
  const { id, bastion_port } = await addGateway({ enable_bastion: true })
  assert.is(bastion_port, 61_000)
  const told = () =>
    world.of<{ id: string; bastion: { authorizedKeys: string[] } }>('gatewayUp').findLast(it => it.id === id)!.bastion
  await made(keys, { name: 'late', public_key: `ssh-rsa ${'B'.repeat(64)}` })
  const path = `${gw}/gateways/${id}`
  assert.is((await call('PATCH', path, { bastion_port: 80 })).status, 400)
  assert.is((await call('PATCH', path, { bastion_port: 59_999 })).json.status, 'running')
  await settled(path, ['running'])
  assert.is(told().authorizedKeys.length, 1)
  await busy(
    () => call('POST', `${path}/refresh-ssh-keys`, {}),
    () => call('PUT', `${path}/bastion-allowed-ips`, { ip_ranges: [] }),
    'configuring',
  )
  await settled(path, ['running'])
  assert.is(told().authorizedKeys.length, 2)
})

test('a server asks for a dynamic address unless told not to; what may change only while it is off', async () => {
  const made = await addServer()
  assert.equal([made.state, made.allowed_actions], ['stopped', ['poweron', 'backup']])
  assert.equal([made.dynamic_ip_required, made.public_ip, made.private_nics], [true, null, []])
  const running = await boot(made.id)
  assert.equal([running.state_detail, running.public_ip.dynamic], ['booting kernel', true])
  const path = `${vm}/servers/${made.id}`
  assert.is((await call('PATCH', path, { commercial_type: 'DEV1-L' })).status, 400)
  assert.is((await call('PATCH', path, { protected: true, tags: ['t'] })).json.server.protected, true)
  for (const action of ['poweroff', 'reboot', 'terminate', 'stop_in_place'])
    assert.is((await act(made.id, action)).json.precondition, 'protected_resource', action)
  await call('PATCH', path, { protected: false })
  await act(made.id, 'stop_in_place')
  await settled(path, ['stopped in place'])
  assert.is((await call('DELETE', path)).status, 400)
  assert.is((await act(made.id, 'poweroff')).status, 202)
  await settled(path, ['stopped'])
  assert.is((await call('PATCH', path, { commercial_type: 'DEV1-L', protected: true })).status, 200)
  assert.is((await call('DELETE', path)).status, 204, 'once it is stopped, protection does not keep it')
})

test('a server takes its NICs along; booked addresses and volumes stay, and its NICs are asked for in vain', async () => {
  const network = await addNetwork()
  const ipam = '/ipam/v1/regions/fr-par/ips'
  const booked = await made(ipam, { source: { private_network_id: network }, tags: ['mine'] })
  assert.is(booked.zone, null)
  const { id, volumes } = await addServer({ dynamic_ip_required: false })
  const body = { private_network_id: network, ipam_ip_ids: [booked.id] }
  const { private_nic } = await made(`${vm}/servers/${id}/private_nics`, body)
  const held = (await call('GET', `${ipam}?resource_name=sr&attached=true`)).json.ips
  assert.equal(
    held.map((it: { id: string; resource: object }) => [it.id, it.resource]),
    [
      [
        booked.id,
        {
          type: 'instance_private_nic',
          id: private_nic.id,
          mac_address: private_nic.mac_address.toUpperCase(),
          name: 'srv',
        },
      ],
    ],
  )
  assert.is((await call('POST', '/ipam/v1/regions/fr-par/ip-sets/release', { ip_ids: [booked.id] })).status, 412)
  assert.is((await call('DELETE', `${vm}/servers/${id}`)).status, 204)
  const nic = await call('GET', `${vm}/servers/${id}/private_nics/${private_nic.id}`)
  assert.equal([nic.status, nic.json.resource], [404, 'instance_server'])
  assert.is((await call('GET', `${ipam}/${booked.id}`)).json.resource, null)
  const volume = `/block/v1/zones/fr-par-1/volumes/${volumes['0'].id}`
  assert.equal((await call('GET', volume)).json.tags, [])
  await settled(volume, ['available'])
  assert.is((await call('GET', `${vm}/volumes/${volumes['0'].id}`)).json.resource, 'instance_volume')
  assert.is((await call('DELETE', volume)).status, 204)
  assert.is((await call('DELETE', `${vpc}/private-networks/${network}`)).status, 412, 'a booked address is enough')
})

test('the default security group cannot go; a change syncs for a moment', async () => {
  const { security_group } = await addServer()
  const refused = await call('DELETE', `${vm}/security_groups/${security_group.id}`)
  assert.is(refused.status, 400)
  const path = `${vm}/security_groups/${security_group.id}`
  const patched = await call('PATCH', path, { description: 'changed' })
  assert.equal([patched.status, patched.json.security_group.state], [200, 'syncing'])
  await until(
    () => call('GET', path),
    it => it.json.security_group.state === 'available',
  )
})

test('a cluster has no tag filter, updates for a while, and wants a pool again when the last is gone', async () => {
  const network = await addNetwork()
  const body = { name: 'kept', version: '1.34.1', cni: 'cilium', private_network_id: network, tags: ['a'], type: '' }
  const { id } = await made(`${k8s}/clusters`, body)
  const path = `${k8s}/clusters/${id}`
  await settled(path, ['pool_required'])
  assert.is((await call('GET', `${path}/kubeconfig`)).status, 200)
  assert.is((await call('GET', `${k8s}/clusters?tags=b`)).json.total_count, 1)
  assert.equal(
    (await call('GET', `${path}/acls`)).json.rules.map((it: { ip: string }) => it.ip),
    ['0.0.0.0/0'],
  )
  await busy(
    () => call('PUT', `${path}/acls`, { acls: [{ ip: '203.0.113.0/24' }] }),
    () => call('PATCH', path, { description: 'x' }),
    'updating',
  )
  await settled(path, ['ready'])
  const pool = await made(`${path}/pools`, { name: 'p', node_type: 'DEV1-M', size: 0 })
  await settled(path, ['ready'])
  const fixed = { node_type: 'GP1-XS', name: 'other', public_ip_disabled: true, zone: 'fr-par-2' }
  const same = (await call('PATCH', `${k8s}/pools/${pool.id}`, fixed)).json
  assert.equal([same.node_type, same.name, same.public_ip_disabled, same.zone], ['dev1_m', 'p', false, 'fr-par-1'])
  await call('DELETE', `${k8s}/pools/${pool.id}`)
  await gone(`${k8s}/pools/${pool.id}`)
  assert.is((await call('GET', path)).json.status, 'pool_required')
  const deleting = await call('DELETE', `${path}?with_additional_resources=false`)
  assert.equal([deleting.status, deleting.json.status], [200, 'deleting'])
  await gone(path)
  assert.is((await call('GET', `${vpc}/private-networks/${network}`)).status, 200)
})

test('a pool that finds no address for its nodes warns, leaves nothing behind, and heals', async () => {
  const ips: string[] = []
  for (let left = world.machines.internet.instancePool.length; left > 0; left--) {
    const { status, json } = await call('POST', `${vm}/ips`, { type: 'routed_ipv4' })
    if (status === 201) ips.push(json.ip.id)
  }
  const network = await addNetwork()
  const cluster = { name: 'full', version: '1.34.1', cni: 'cilium', private_network_id: network }
  const { id } = await made(`${k8s}/clusters`, { ...cluster, pools: [{ name: 'p', node_type: 'DEV1-M', size: 1 }] })
  const [pool] = (await call('GET', `${k8s}/clusters/${id}/pools`)).json.pools
  const warned = await settled(`${k8s}/pools/${pool.id}`, ['warning'])
  assert.match(warned.error_message, /quotas_exceeded/)
  const nodes = async () => (await call('GET', `${vm}/servers?tags=kapsule=${id}`)).json.servers
  assert.equal(await nodes(), [])
  for (const ip of ips) await call('DELETE', `${vm}/ips/${ip}`)
  await call('PATCH', `${k8s}/pools/${pool.id}`, { size: 1 })
  await settled(`${k8s}/pools/${pool.id}`, ['ready'])
  assert.is((await nodes()).length, 1)
  // A server that was moved into the group of the nodes keeps it from going with the cluster.
  const group = (await nodes())[0].security_group
  const guest = await addServer({ security_group: group.id })
  await call('DELETE', `${k8s}/clusters/${id}`)
  await gone(`${k8s}/clusters/${id}`)
  assert.is((await call('GET', `${vm}/servers/${guest.id}`)).json.server.security_group.id, group.id)
})

test('out of stock and slow pools, by the weather', async () => {
  const { conditions } = project.scaleway
  const body = { type: 'out_of_stock', message: 'resource is out of stock', resource: 'DEV1-M' }
  conditions.set({ faults: [{ on: { method: 'POST', path: '/instance/**/servers' }, do: { status: 503, body } }] })
  assert.equal(await refusal(project.instance.createServer({ ...sdkServer(), image })), { status: 503, body })
  conditions.clear()
  conditions.set({ stuck: [{ kind: 'pool', state: 'scaling', thenMs: 400 }] })
  const began = Date.now()
  const network = await addNetwork()
  const cluster = { name: 'slow', version: '1.34.1', cni: 'cilium', private_network_id: network }
  const { id: clusterId } = await made(`${k8s}/clusters`, {
    ...cluster,
    pools: [{ name: 'p', node_type: 'DEV1-M', size: 0 }],
  })
  const [pool] = (await project.k8s.listPools({ clusterId })).pools
  await settled(`${k8s}/pools/${pool!.id}`, ['ready'])
  assert.ok(Date.now() - began >= 400)
  conditions.clear()
  await project.k8s.deleteCluster({ clusterId, withAdditionalResources: false })
  await untilGone(() => project.k8s.getCluster({ clusterId }))
})
const sdkServer = () => ({
  ...{ name: 'none', commercialType: 'DEV1-M', dynamicIpRequired: false, protected: false },
  volumes: { 0: { volumeType: 'sbs_volume' as const } },
})
