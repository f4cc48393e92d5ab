import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import type { Step } from '../../src/engine/step.ts'
import { createPool } from '../../src/scaleway/pool-api.ts'
import { preflight } from '../../src/scaleway/preflight.ts'
import { suite } from '../support/suite.ts'
import { type Emulated, emulated } from './emulated.ts'

const { test, before, after } = suite('scaleway/preflight')

let cloud: Emulated
before(async () => {
  cloud = await emulated()
})
after(() => cloud?.close())

const weather = (conditions: object) =>
  fetch(`${cloud.url}/emulator/conditions`, { method: 'PUT', body: JSON.stringify(conditions) })
const calm = () => fetch(`${cloud.url}/emulator/conditions`, { method: 'DELETE' })

const step = (id: string, want: object, change: Partial<Step['change']> = {}): Step => ({
  ...{ id, kind: id.split('/')[0]!, needs: [], want: want as Step['want'], unknown: [], oneWay: false },
  change: { action: 'create', summary: '', ...change },
})
const ref = { $ref: 'vpc/egress', path: 'id' }
const server = { type: 'PLAY2-PICO', image: 'ubuntu_noble' }
const cluster = { name: 'shared', version: '1.34', cni: 'cilium' }

/** What is found, a line each; and the calls it took. */
const look = async (...steps: Step[]) => {
  const clients = await cloud.clients()
  const { findings, unanswered } = await preflight(steps, clients)
  const found = findings.map(it => `${it.step} ${it.field}: ${it.what} | ${it.why} | ${it.next}`)
  return { found, unanswered, calls: clients.calls() }
}

for (const { when, steps, says } of [
  {
    when: 'a server type',
    steps: [step('server/p', { ...server, type: 'PLAY2-PIC' })],
    says: /p type: there is no type PLAY2-PIC in fr-par-1.*take one of PLAY2-PICO, /,
  },
  {
    when: 'an image label',
    steps: [step('server/p', { ...server, image: 'ubuntu_nobel' })],
    says: /p image: there is no image ubuntu_nobel.*no such label.*take one of ubuntu_noble, /,
  },
  {
    when: 'a gateway type',
    steps: [step('gateway/g', { type: 'VPC-GW-X' })],
    says: /g type: there is no gateway type VPC-GW-X.*VPC-GW-S/,
  },
  {
    when: 'a gateway type to change to',
    steps: [
      step('gateway/g', { type: 'VPC-GW-X' }, { action: 'update', details: [{ name: 'type', action: 'update' }] }),
    ],
    says: /no gateway type VPC-GW-X/,
  },
  {
    when: 'a minor version',
    steps: [step('cluster/c', { ...cluster, version: '1.43' })],
    says: /c version: there is no Kubernetes 1.43.*1\.36\.1.*take one of 1\.33, /,
  },
  {
    when: 'a patch version',
    steps: [step('cluster/c', { ...cluster, version: '1.34.9' })],
    says: /no Kubernetes 1.34.9.*take one of 1\.34\.1, /,
  },
  {
    when: 'a CNI',
    steps: [step('cluster/c', { ...cluster, cni: 'flannel' })],
    says: /c cni: Kubernetes 1.34 does not come with flannel.*cilium/,
  },
  {
    when: 'a node type',
    steps: [step('pool/p', { name: 'p', type: 'dev1_mm', clusterId: ref })],
    says: /p type: there is no type dev1_mm.*DEV1-M/,
  },
  {
    when: 'a zone of its own',
    steps: [step('server/p', { ...server, zone: 'pl-waw-2', image: 'none' })],
    says: /there is no image none in pl-waw-2/,
  },
]) {
  test(`unknown is found before a write: ${when}`, async () => {
    const { found, unanswered } = await look(...steps)
    assert.is(found.length, 1, found.join('\n'))
    assert.match(found[0]!, says)
    assert.equal(unanswered, [])
  })
}

test('what is right is not spoken of, however it is written', async () => {
  const { found } = await look(
    step('server/p', server),
    step('gateway/g', { type: 'VPC-GW-S' }),
    step('cluster/c', { ...cluster, version: '1.34.1' }),
    step('pool/p', { name: 'p', type: 'dev1_m', clusterId: ref }),
    step('ipam-address/p', { name: 'p', address: '172.16.28.8', privateNetworkId: ref }),
    step('private-network/n', { name: 'n', cidr: '172.16.28.0/22', vpcId: ref }),
  )
  assert.equal(found, [])
})

test('for a node only what can be one is proposed', async () => {
  const { found } = await look(step('pool/p', { name: 'p', type: 'DEV1-N', clusterId: ref }))
  assert.match(found[0]!, /take one of .*DEV1-M/)
  assert.not.match(found[0]!, /DEV1-S|PLAY2-PICO|STARDUST/)
})

test('nothing to make, nothing asked; many servers ask as much as one', async () => {
  assert.is((await look()).calls, 0)
  const update: Partial<Step['change']> = { action: 'update', details: [{ name: 'bastion port', action: 'update' }] }
  assert.is((await look(step('gateway/g', { type: 'VPC-GW-S' }, update), step('vpc/v', {}))).calls, 0)
  const one = await look(step('server/p', server))
  const many = await look(...Array.from({ length: 50 }, (_, at) => step(`server/p${at}`, server)))
  assert.ok(one.calls > 0 && one.calls <= 6, `${one.calls} calls`)
  assert.is(many.calls, one.calls)
})

test('out of stock, at its end, and not for this image', async () => {
  const products = '/instance/v1/zones/*/products/servers'
  const clients = await cloud.clients()
  const { servers } = await clients.instance.listServersTypes({ perPage: 100 })
  const old = { arch: 'x86_64', hourly_price: 1, ncpus: 1, ram: 1, alt_names: [], end_of_service: true }
  const ended = { servers: { 'OLD1-S': old }, total_count: 1 }
  assert.ok(servers['PLAY2-PICO'])
  await weather({
    faults: [
      {
        on: { path: `${products}/availability` },
        do: { status: 200, body: { servers: { 'PLAY2-PICO': { availability: 'shortage' } }, total_count: 1 } },
      },
    ],
  })
  const short = await look(step('server/p', server))
  assert.match(short.found.join(), /PLAY2-PICO is out of stock in fr-par-1.*take one of PLAY2-\w+, /)
  await weather({ faults: [{ on: { path: products }, do: { status: 200, body: ended } }] })
  assert.match((await look(step('server/p', { ...server, type: 'OLD1-S' }))).found.join(), /OLD1-S is at its end/)
  await weather({
    faults: [
      {
        on: { path: '/marketplace/v2/local-images' },
        do: {
          status: 200,
          body: {
            total_count: 1,
            local_images: [
              {
                id: 'x',
                arch: 'arm64',
                zone: 'fr-par-1',
                label: 'ubuntu_noble',
                type: 'instance_sbs',
                compatible_commercial_types: ['BASIC2-A2C-4G'],
              },
            ],
          },
        },
      },
    ],
  })
  assert.match(
    (await look(step('server/p', server))).found.join(),
    /p image: .* does not run on a PLAY2-PICO.*BASIC2-A2C-4G/,
  )
  await calm()
})

test('a key that may not know a catalogue stops nothing and is told', async () => {
  await weather({
    faults: [
      {
        on: { path: '/instance/v1/zones/*/products/**' },
        do: { status: 403, body: { type: 'permissions_denied', details: [] } },
      },
    ],
  })
  const { found, unanswered } = await look(step('server/p', { ...server, type: 'NONE' }))
  await calm()
  assert.equal(found, [])
  assert.equal(unanswered.sort(), ['server types of fr-par-1', 'stock of fr-par-1'])
})

test("an address, a range and names that others have are found, and one's own are not", async () => {
  const theirs = await cloud.clients('other')
  const { id: vpcId } = await theirs.vpc.createVPC({ name: 'v', enableRouting: true })
  const { id } = await theirs.vpc.createPrivateNetwork({
    name: 'n',
    vpcId,
    subnets: ['172.16.28.0/22'],
    defaultRoutePropagationEnabled: false,
  })
  const tags = (context: string, name: string) => ['kapsule-egress', `egress-context=${context}`, `egress-name=${name}`]
  const book = (address: string, context: string, name: string) =>
    theirs.ipam.bookIP({ source: { privateNetworkId: id }, isIpv6: false, address, tags: tags(context, name) })
  await Promise.all([
    book('172.16.28.8', 'other', 'x'),
    book('172.16.28.9', 'sandbox', 'b'),
    book('172.16.28.10', 'sandbox', 'c'),
  ])
  const made = await theirs.k8s.createCluster({
    ...cluster,
    version: '1.34.1',
    type: 'kapsule',
    description: '',
    cni: 'cilium',
    privateNetworkId: id,
    tags: [],
  })
  const address = (name: string, address: string) =>
    step(`ipam-address/${name}`, { name, address, privateNetworkId: id })
  const { found } = await look(
    address('a', '172.16.28.8'),
    address('b', '172.16.28.9'),
    address('d', '172.16.28.10'),
    step('private-network/m', { name: 'm', cidr: '172.16.31.0/24', vpcId }),
    step('private-network/k', { name: 'k', cidr: '172.16.32.0/24', vpcId }),
    step('cluster/shared', cluster),
  )
  assert.is(found.length, 4, found.join('\n'))
  assert.match(
    found[0]!,
    /ipam-address\/a address: the private address 172.16.28.8 is taken.*x has it.*e\.g\. 172.16.28.11, or release/,
  )
  assert.match(found[1]!, /ipam-address\/d address: .*172.16.28.10.*c has it.*move that one away/)
  assert.match(found[2]!, /private-network\/m cidr: 172.16.31.0\/24 overlaps the private network n.*172.16.28.0\/22/)
  assert.match(found[3]!, /cluster\/shared name: there is a cluster shared already.*existing: \{ id: /)
  for (
    let tries = 0;
    tries < 1500 && (await theirs.k8s.getCluster({ clusterId: made.id })).status === 'creating';
    tries++
  )
    await sleep(20)
  await createPool(theirs, made.id, { name: 'p', node_type: 'DEV1-M', size: 1, tags: [] })
  const pool = await look(step('pool/p', { name: 'p', type: 'DEV1-M', clusterId: made.id }))
  assert.match(pool.found.join(), /pool\/p name: there is a pool p in the cluster already/)
})

test('a network that is to be replaced, and cannot go for what others booked in it, is told before all is down', async () => {
  const { vpc, ipam } = await cloud.clients()
  const { id: vpcId } = await vpc.createVPC({ name: 'r', enableRouting: true })
  const tags = ['kapsule-egress', 'egress-context=sandbox', 'egress-name=r']
  const { id } = await vpc.createPrivateNetwork({
    ...{ name: 'r', vpcId, subnets: ['172.16.40.0/24'], tags },
    defaultRoutePropagationEnabled: false,
  })
  const book = (address: string, mine: string[]) =>
    ipam.bookIP({ source: { privateNetworkId: id }, isIpv6: false, address, tags: mine })
  await book('172.16.40.8', tags)
  const change = step('private-network/r', { name: 'r', cidr: '172.16.41.0/24', vpcId }, { action: 'replace' })
  assert.equal((await look(change)).found, [])
  await book('172.16.40.77', [])
  const { found } = await look(change)
  assert.is(found.length, 1, found.join('\n'))
  assert.match(found[0]!, /private-network\/r cidr: .*cannot be replaced.*172\.16\.40\.77\/24 \(.*release them/)
})

test('a project that is not there is found, whatever else is right', async () => {
  const clients = { ...(await cloud.clients()), projectId: '00000000-2222-4333-8444-555555555555' }
  const { findings } = await preflight([step('gateway/g', { type: 'VPC-GW-S' })], clients)
  assert.match(
    findings.map(it => `${it.field} ${it.what} ${it.next}`).join(),
    /^project there is no project 0{8}-.*projectId/,
  )
})
