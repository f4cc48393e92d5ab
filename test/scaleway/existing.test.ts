import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { site } from '../../playbooks/site.ts'
import { applyPlan } from '../../src/engine/apply.ts'
import { makePlan } from '../../src/engine/plan.ts'
import type { Problem } from '../../src/engine/problem.ts'
import type { World } from '../../src/engine/world.ts'
import { loadContext } from '../../src/inventory/load.ts'
import type { ServerClients } from '../../src/scaleway/cloud-init.ts'
import { scalewayKinds } from '../../src/scaleway/kinds.ts'
import { listOwned } from '../../src/scaleway/leftovers.ts'
import { changed, cleanUp } from '../inventory/edited.ts'
import { suite } from '../support/suite.ts'
import { oneStage } from './hazards/stage.ts'
import { report } from './network.ts'
import { removeAll } from './remove-all.ts'

const { test, before, after } = suite('scaleway/existing')

type Company = { vpc: string; spare: string; network: string; gateway: string; cluster: string }
const cloud = oneStage({ before, after })
let company: Company
before(async () => {
  company = await settle(await cloud.clients())
})
after(cleanUp)

/** What a company had before: a network with its gateway and a cluster in it, without any tag of ours. */
const settle = async ({ vpc, gateway, k8s, projectId }: ServerClients): Promise<Company> => {
  const around = await vpc.createVPC({ name: 'company', tags: ['owner=it'], enableRouting: true })
  const spare = await vpc.createVPC({ name: 'spare', tags: [], enableRouting: true })
  const cidr = '172.16.28.0/22'
  const network = await vpc.createPrivateNetwork({
    name: 'company',
    vpcId: around.id,
    subnets: [cidr],
    tags: [],
    defaultRoutePropagationEnabled: false,
  })
  const nat = await gateway.createGateway({
    name: 'company',
    type: 'VPC-GW-S',
    tags: [],
    enableSmtp: false,
    enableBastion: false,
  })
  await passing(async () => (await gateway.getGateway({ gatewayId: nat.id })).status === 'running')
  const cluster = await k8s.createCluster({
    name: 'company',
    projectId,
    type: 'kapsule',
    description: '',
    version: (await k8s.listVersions()).versions.find(it => it.name.startsWith('1.34.'))?.name ?? '',
    cni: 'cilium',
    tags: [],
    privateNetworkId: network.id,
  })
  await passing(async () => (await k8s.getCluster({ clusterId: cluster.id })).status === 'pool_required')
  return { vpc: around.id, spare: spare.id, network: network.id, gateway: nat.id, cluster: cluster.id }
}

const passing = async (done: () => Promise<boolean>) => {
  for (let look = 0; look < 1500; look++) {
    if (await done()) return
    await new Promise(wake => setTimeout(wake, 20))
  }
  throw new Error('it never settled')
}

/** What of the company's things somebody could have changed. */
const asTheyAre = async ({ vpc, gateway, k8s }: ServerClients) => {
  const nat = await gateway.getGateway({ gatewayId: company.gateway })
  const shared = await k8s.getCluster({ clusterId: company.cluster })
  return JSON.parse(
    JSON.stringify({
      vpc: { ...(await vpc.getVPC({ vpcId: company.vpc })), updatedAt: null },
      spare: { ...(await vpc.getVPC({ vpcId: company.spare })), updatedAt: null, privateNetworkCount: 0 },
      network: { ...(await vpc.getPrivateNetwork({ privateNetworkId: company.network })), updatedAt: null },
      gateway: [nat.name, nat.tags, nat.type, nat.ipv4?.id, nat.bastionEnabled, nat.bastionPort, nat.bastionAllowedIps],
      cluster: [shared.name, shared.tags, shared.version, shared.cni, shared.privateNetworkId, shared.autoUpgrade],
    }),
  )
}

type Edits = [RegExp, string][]
const adoptNetwork = (by: string): Edits => [
  [/ {2}vpc: egress\n/, ''],
  [/privateNetwork: \{ name: egress,/, `privateNetwork: { existing: { ${by} },`],
]
const adoptGateway = (by: string): Edits => [
  [/gateway:\n {2}type: VPC-GW-S\n {2}bastion:[\s\S]*?ssh:/, `gateway: { existing: { ${by} } }\nssh:`],
]
const adoptCluster = (by: string): Edits => [[/ {2}name: shared\n {2}version: "[\d.]+"\n/, `  existing: { ${by} }\n`]]
/** The sandbox's anchors live in the gateway, and what is adopted has none. */
const operators: Edits = [[/allow: \*operators/, 'allow: [203.0.113.0/24]']]

const siteWith = async (edits: Edits) => {
  const context = await loadContext('sandbox', { root: changed({ 'context.yaml': [...edits, ...operators] }), env: {} })
  return site(context, { operatorKey: `ssh-ed25519 ${'A'.repeat(68)}`, kubeconfig: join(cloud.dir, 'kubeconfig') })
}

const worldOf = (clients: ServerClients): World => ({
  clientsFor: () => clients,
  journal: { run: 'test', record() {}, close() {} },
  watch() {},
  stop: new AbortController().signal,
  abort: new AbortController().signal,
})

const deployed = async (edits: Edits) => {
  const { cloud: desired } = await siteWith(edits)
  const world = worldOf(await cloud.clients())
  const outcome = await applyPlan(await makePlan(desired, world), 'test', world)
  const [failure] = outcome.failures
  if (failure) throw failure.error
  const again = await makePlan(desired, worldOf(await cloud.clients()))
  const made = [...outcome.changes].flatMap(([id, change]) => (change ? [`${change.action} ${id}`] : []))
  return { made, left: [...again.seen.values()].flatMap(it => (it.step ? [it.step.change.summary] : [])) }
}

const destroyed = async () => {
  const clients = await cloud.clients()
  const owned = await listOwned(clients)
  await removeAll(clients, owned, report)
  assert.equal(await listOwned(await cloud.clients()), [])
  return owned.map(it => it.kind)
}

const legs = async () => (await cloud.clients()).gateway.listGatewayNetworks({ gatewayIds: [company.gateway] }).all()

const cases: { what: string; edits: () => Edits; makes: RegExp; not: RegExp; owned: string[] }[] = [
  {
    what: 'a VPC',
    edits: () => [[/vpc: egress/, 'vpc: { existing: { name: spare } }']],
    makes: /create private-network\/egress/,
    not: /vpc\//,
    owned: ['private-network', 'gateway', 'cluster'],
  },
  {
    what: 'a private network',
    edits: () => adoptNetwork(`id: ${company.network}`),
    makes: /create gateway-network\/egress/,
    not: /vpc\/|private-network\//,
    owned: ['gateway-network', 'gateway', 'cluster', 'ipam-address'],
  },
  {
    what: 'a gateway',
    edits: () => adoptGateway('name: company'),
    makes: /create gateway-network\/egress/,
    not: / gateway\/| gateway-ip\//,
    owned: ['gateway-network', 'private-network', 'vpc'],
  },
  {
    what: 'a network and the cluster in it',
    edits: () => [...adoptNetwork('name: company'), ...adoptCluster('name: company')],
    makes: /create pool\/client-a-pool/,
    not: / cluster\/|private-network\//,
    owned: ['pool', 'gateway'],
  },
]
for (const { what, edits, makes, not, owned } of cases)
  test(`${what} that exists is used, never changed, and stays`, async () => {
    const before = await asTheyAre(await cloud.clients())
    const { made, left } = await deployed(edits())
    assert.match(made.join('\n'), makes)
    assert.not.match(made.join('\n'), not)
    assert.equal(left, [], 'a second plan finds nothing')
    assert.equal(await asTheyAre(await cloud.clients()), before)
    const gone = await destroyed()
    for (const kind of owned) assert.ok(gone.includes(kind as never), `${kind} was ours in ${gone}`)
    assert.equal(await asTheyAre(await cloud.clients()), before)
    assert.equal(await legs(), [])
  })

test('a gateway and a network of others must be attached already, and then all of it is left alone', async () => {
  const edits = [...adoptNetwork('name: company'), ...adoptGateway('name: company'), ...adoptCluster('name: company')]
  const problem: Problem = await deployed(edits).catch(it => it)
  assert.match(problem.message, /do not belong together/)
  assert.match(problem.why, /is not attached to/)
  const { gateway } = await cloud.clients()
  const leg = await gateway.createGatewayNetwork({
    gatewayId: company.gateway,
    privateNetworkId: company.network,
    enableMasquerade: true,
    pushDefaultRoute: true,
  })
  await passing(async () => (await gateway.getGatewayNetwork({ gatewayNetworkId: leg.id })).status === 'ready')
  const before = await asTheyAre(await cloud.clients())
  const { made, left } = await deployed(edits)
  assert.equal(left, [])
  assert.not.match(made.join('\n'), /(gateway|network|vpc|cluster)\//)
  const gone = await destroyed()
  assert.not.ok(gone.some(it => ['gateway-network', 'gateway', 'private-network', 'vpc', 'cluster'].includes(it)))
  assert.equal(await asTheyAre(await cloud.clients()), before)
  assert.is((await legs()).length, 1)
})

for (const { what, edits, says } of [
  {
    what: 'none of that name',
    edits: () => adoptNetwork('name: compny'),
    says: /there is no private network compny.*company .*console\.scaleway\.com.*network\.privateNetwork\.existing/s,
  },
  {
    what: 'a network of another range',
    edits: (): Edits => [...adoptNetwork('name: company'), [/172\.16\.28\.0\/22/, '172.16.24.0/21']],
    says: /private network company cannot be used.*its range is 172\.16\.28\.0\/22/s,
  },
  {
    what: 'a gateway in another zone',
    edits: (): Edits => [
      [
        /gateway:\n {2}type: VPC-GW-S\n {2}bastion:[\s\S]*?ssh:/,
        'gateway: { existing: { name: company }, zone: fr-par-2 }\nssh:',
      ],
    ],
    says: /gateway company cannot be used.*it is in fr-par-1, not in fr-par-2/s,
  },
  {
    what: 'a gateway without the bastion that is asked for',
    edits: (): Edits => [
      [
        /gateway:\n {2}type: VPC-GW-S\n {2}bastion:[\s\S]*?ssh:/,
        'gateway: { existing: { name: company }, bastion: { allow: [203.0.113.0/24] } }\nssh:',
      ],
    ],
    says: /it has no bastion/,
  },
])
  test(`${what} is told before anything is made`, async () => {
    const clients = await cloud.clients()
    const { cloud: desired } = await siteWith(edits())
    const problem = await makePlan(desired, worldOf(clients)).then(
      () => null,
      (it: Problem) => it,
    )
    assert.is(problem?.exit, 2)
    assert.match(`${problem?.message} ${problem?.why} ${problem?.next}`, says)
    assert.equal(await listOwned(clients), [])
  })

test('a cluster in another network cannot be used', async () => {
  const problem = await deployed(adoptCluster('name: company')).catch((it: Problem) => it)
  assert.match(String((problem as Problem).why), /it is in the private network .*, the proxies are in/)
  await destroyed()
})

test('two of one name are told with both ids, and an id chooses', async () => {
  const { vpc } = await cloud.clients()
  const twin = await vpc.createVPC({ name: 'company', tags: [], enableRouting: true })
  const byName: Edits = [[/vpc: egress/, 'vpc: { existing: { name: company } }']]
  const { cloud: desired } = await siteWith(byName)
  const problem: Problem = await makePlan(desired, worldOf(await cloud.clients())).catch(it => it)
  assert.match(problem.why, new RegExp(`${company.vpc}[\\s\\S]*${twin.id}|${twin.id}[\\s\\S]*${company.vpc}`))
  const byId: Edits = [[/vpc: egress/, `vpc: { existing: { id: ${twin.id} } }`]]
  const { made } = await deployed(byId)
  assert.ok(made.includes('create private-network/egress'))
  await destroyed()
  await vpc.deleteVPC({ vpcId: twin.id })
})

test('what another context made is not adopted', async () => {
  const clients = await cloud.clients()
  const tags = ['kapsule-egress', 'egress-context=other', 'egress-name=theirs']
  const theirs = await clients.vpc.createVPC({ name: 'theirs', tags, enableRouting: true })
  const { cloud: desired } = await siteWith([[/vpc: egress/, 'vpc: { existing: { name: theirs } }']])
  const problem: Problem = await makePlan(desired, worldOf(clients)).catch(it => it)
  assert.match(problem.message, /VPC theirs belongs to the context other/)
  await clients.vpc.deleteVPC({ vpcId: theirs.id })
})

test('a Kind of what exists has no undo, and no step is ever made of it', () => {
  const adopting = scalewayKinds.filter(it => it.name.startsWith('existing-'))
  assert.is(adopting.length, 5)
  for (const it of adopting) assert.is(it.undo, undefined, it.name)
})
