import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { credentials, openProject, type Project, recorder, until } from './project.ts'

const { test, before, after } = suite('sandbox scaleway: several projects')

const ours = credentials.projectId
const theirs = '44444444-4444-4444-8444-444444444444'
const unknown = '99999999-9999-4999-8999-999999999999'
const [fr1, par] = ['zones/fr-par-1', 'regions/fr-par']
const world = recorder()

let cloud: Project
before(async () => {
  cloud = await openProject({ scale: 0.005, world })
  assert.is((await cloud.raw('PUT', `/emulator/projects/${theirs}`, { name: 'other-team' })).status, 204)
})
after(() => cloud.close())

const post = async (path: string, body: object, status = 200) => {
  const answer = await cloud.raw('POST', path, body)
  assert.is(answer.status, status, answer.text)
  return answer.json
}
const imageId = async () =>
  (
    await cloud.marketplace.listLocalImages({ imageLabel: 'ubuntu_noble', zone: 'fr-par-1', type: 'instance_sbs' })
  ).localImages.find(it => it.compatibleCommercialTypes.includes('DEV1-M'))!.id

test('projects made through the emulator are known; their ids are UUIDs', async () => {
  const { raw } = cloud
  assert.is((await raw('PUT', '/emulator/projects/nonsense')).status, 400)
  const one = await raw('GET', `/account/v3/projects/${theirs}`)
  assert.equal([one.status, one.json.name, one.json.organization_id], [200, 'other-team', credentials.organizationId])
  assert.equal(
    (await raw('GET', '/account/v3/projects')).json.projects.map((it: { id: string }) => it.id),
    [ours, theirs],
  )
  cloud.scaleway.addProject(unknown)
  assert.is((await raw('GET', `/account/v3/projects/${unknown}`)).status, 200)
})

const key = `ssh-ed25519 ${'A'.repeat(64)}`
const newer = [
  { path: `/vpc/v2/${par}/vpcs`, rows: 'vpcs', body: { name: 'twin' } },
  { path: `/vpc/v2/${par}/private-networks`, rows: 'private_networks', body: { name: 'twin' } },
  { path: `/vpc-gw/v2/${fr1}/ips`, rows: 'ips', body: {} },
  { path: `/vpc-gw/v2/${fr1}/gateways`, rows: 'gateways', body: { name: 'twin', type: 'VPC-GW-S' } },
  { path: '/iam/v1alpha1/ssh-keys', rows: 'ssh_keys', body: { name: 'twin', public_key: key } },
]
const instance = [
  { path: `/instance/v1/${fr1}/ips`, one: 'ip', rows: 'ips', body: { type: 'routed_ipv4' } },
  {
    path: `/instance/v1/${fr1}/security_groups`,
    one: 'security_group',
    rows: 'security_groups',
    body: { name: 'twin' },
  },
]

for (const { path, rows, body } of newer) {
  test(`${path}: made in a project, listed by project, all of them without`, async () => {
    const { raw } = cloud
    const mine = await post(path, body)
    const other = await post(path, { ...body, project_id: theirs })
    assert.equal([mine.project_id, other.project_id], [ours, theirs])
    assert.is((await raw('GET', `${path}/${other.id}`)).json.project_id, theirs)
    const ids = async (query: string) => (await raw('GET', `${path}?${query}`)).json[rows].map((it: Row) => it.id)
    const [all, own, their] = [await ids(''), await ids(`project_id=${ours}`), await ids(`project_id=${theirs}`)]
    assert.ok(all.includes(mine.id) && all.includes(other.id))
    assert.ok(own.includes(mine.id) && !own.includes(other.id))
    assert.ok(their.includes(other.id) && !their.includes(mine.id))
    const refused = await raw('POST', path, { ...body, project_id: 'not-a-project' })
    assert.equal([refused.status, refused.json.type], [403, 'permissions_denied'])
  })
}
type Row = { id: string }

for (const { path, one, rows, body } of instance) {
  test(`${path}: the field is called project`, async () => {
    const { raw } = cloud
    const mine = (await post(path, body, 201))[one]
    const other = (await post(path, { ...body, project: theirs }, 201))[one]
    assert.equal([mine.project, other.project], [ours, theirs])
    const ids = async (query: string) => (await raw('GET', `${path}?${query}`)).json[rows].map((it: Row) => it.id)
    assert.ok((await ids('')).includes(mine.id) && (await ids('')).includes(other.id))
    assert.equal(await ids(`project=${theirs}`), [other.id])
    assert.is((await raw('POST', path, { ...body, project: 'not-a-project' })).status, 403)
  })
}

test('a server brings its own: default group, root volume, keys, and may take an IP of another project', async () => {
  const { raw } = cloud
  const servers = `/instance/v1/${fr1}/servers`
  const body = { name: 'twin', commercial_type: 'DEV1-M', image: await imageId(), volumes: {} }
  const { ip } = await post(`/instance/v1/${fr1}/ips`, { type: 'routed_ipv4', project: ours }, 201)
  const mine = (await post(servers, body, 201)).server
  const other = (await post(servers, { ...body, project: theirs, public_ips: [ip.id] }, 201)).server
  assert.equal([mine.project, other.project, other.public_ips[0].id], [ours, theirs, ip.id])
  assert.not.equal(mine.security_group.id, other.security_group.id)
  const group = await raw('GET', `/instance/v1/${fr1}/security_groups?project=${theirs}&project_default=true`)
  assert.equal(
    group.json.security_groups.map((it: Row & { name: string }) => [it.id, it.name]),
    [[other.security_group.id, 'Default security group']],
  )
  const volumes = await raw('GET', `/block/v1/${fr1}/volumes?project_id=${theirs}`)
  assert.equal(
    volumes.json.volumes.map((it: Row) => it.id),
    [other.volumes['0'].id],
  )
  await post('/iam/v1alpha1/ssh-keys', { name: 'k', public_key: `ssh-rsa ${'B'.repeat(64)}`, project_id: theirs })
  await raw('POST', `${servers}/${other.id}/action`, { action: 'poweron' })
  const told = () => world.of<{ id: string; authorizedKeys: string[] }>('serverUp').find(it => it.id === other.id)
  const spec = await until(async () => told(), Boolean)
  assert.equal(spec!.authorizedKeys.map(it => it.split(' ')[0]).sort(), ['ssh-ed25519', 'ssh-rsa'])
  assert.equal((await raw('GET', `${servers}?name=twin&project=${ours}`)).json.servers.length, 1)
})

test('clusters: a name is free in another project; nodes belong to the project of their cluster', async () => {
  const { raw } = cloud
  const clusters = `/k8s/v1/${par}/clusters`
  const made = async (project_id: string) => {
    const network = await post(`/vpc/v2/${par}/private-networks`, { name: 'for-cluster', project_id })
    const ip = await post(`/ipam/v1/${par}/ips`, { source: { private_network_id: network.id }, project_id })
    assert.equal(
      [network.project_id, network.subnets[0].project_id, ip.project_id],
      [project_id, project_id, project_id],
    )
    const body = { name: 'twin', version: '1.34.1', cni: 'cilium', private_network_id: network.id, project_id }
    const pool = { name: 'p', node_type: 'DEV1-M', size: 1 }
    const cluster = await post(clusters, { ...body, pools: [pool] })
    const again = await raw('POST', clusters, body)
    assert.equal([again.status, again.json.resource_id], [409, cluster.id])
    return cluster
  }
  const mine = await made(ours)
  const other = await made(theirs)
  assert.equal([mine.project_id, other.project_id], [ours, theirs])
  const listed = await raw('GET', `${clusters}?project_id=${theirs}`)
  assert.equal(
    listed.json.clusters.map((it: Row) => it.id),
    [other.id],
  )
  const nodes = async (project: string) =>
    (await raw('GET', `/instance/v1/${fr1}/servers?project=${project}&tags=kapsule=${other.id}`)).json.servers.length
  await until(
    () => nodes(theirs),
    it => it === 1,
  )
  assert.is(await nodes(ours), 0)
  const groups = async () =>
    (await raw('GET', `/instance/v1/${fr1}/security_groups?name=Kapsule`)).json.security_groups.map(
      (it: { project: string }) => it.project,
    )
  assert.equal((await groups()).sort(), [ours, theirs])
  await raw('DELETE', `${clusters}/${other.id}`)
  await until(groups, it => it.length === 1)
  assert.equal(await groups(), [ours])
})

test('what was saved before there were projects belongs to the project of the key', async () => {
  const saved = JSON.parse(JSON.stringify(cloud.scaleway.state()))
  delete saved.projects
  for (const table of Object.values(saved)) {
    if (typeof table !== 'object') continue
    for (const row of Object.values(table as Record<string, { project_id?: string }>)) delete row.project_id
  }
  const again = await openProject({ saved })
  const { json } = await again.raw('GET', `/vpc/v2/${par}/vpcs?project_id=${ours}`)
  assert.is(json.total_count, Object.keys(saved.vpcs).length)
  const servers = await again.raw('GET', `/instance/v1/${fr1}/servers?project=${ours}`)
  assert.is(servers.json.servers.length, Object.keys(saved.servers).length)
  await again.close()
})
