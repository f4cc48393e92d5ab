import * as assert from 'uvu/assert'
import { site } from '../../playbooks/site.ts'
import { forTargets } from '../../src/cli/limit.ts'
import type { Desired } from '../../src/engine/desired.ts'
import { refsIn } from '../../src/engine/refs.ts'
import type { HostPlay } from '../../src/hosts/play.ts'
import { loadContext, loadInventory } from '../../src/inventory/load.ts'
import { suite } from '../support/suite.ts'
import { changed, cleanUp, mistakes } from './edited.ts'

const { test, after } = suite('inventory/shared')
after(cleanUp)

const ofB = 'name: proxy-client-b, type: PLAY2-PICO, image: ubuntu_noble, privateIp: 172.16.28.9'
const shared = 'name: proxy-client-a, type: PLAY2-PICO, image: ubuntu_noble, privateIp: 172.16.28.8'
const own = ', port: 3129, flexibleIp: client-b'
type Edits = Parameters<typeof changed>[0]
const together = (proxy = shared + own, more: Edits = {}) =>
  changed({ ...more, 'tenants/client-b.yaml': [[ofB, proxy], ...(more['tenants/client-b.yaml'] ?? [])] })
const keys = { operatorKey: 'ssh-ed25519 A', kubeconfig: '/k' }
const idsOf = (cloud: Desired[], kind: string) =>
  cloud.flatMap(({ id }) => (id.startsWith(`${kind}/`) ? [id.slice(kind.length + 1)] : []))
const wantOf = (cloud: Desired[], id: string) => cloud.find(it => it.id === id)!.want as Record<string, never>

test('tenants on one proxy: one machine, an address and a port for each, and its own nodes', async () => {
  const context = await loadContext('sandbox', { root: together(), env: {} })
  const { cloud, stages, ids, phases } = site(context, keys)
  assert.equal(idsOf(cloud, 'server'), ['proxy-client-a'])
  assert.equal(idsOf(cloud, 'ipam-address'), ['proxy-client-a'])
  assert.equal(idsOf(cloud, 'flexible-ip'), ['proxy-client-a', 'client-b'])
  assert.equal(refsIn(wantOf(cloud, 'server/proxy-client-a').moreFlexibleIpIds), ['flexible-ip/client-b'])
  const { rules } = wantOf(cloud, 'security-group/proxy') as unknown as {
    rules: { ports: { from: number } }[]
  }
  assert.equal(
    rules.map(it => it.ports.from).filter(it => it !== 22),
    [3128, 3129],
  )
  assert.equal(
    stages.configure.map(it => it.id),
    ['host-play/proxy-client-a'],
  )
  const play = stages.configure[0]!.want as unknown as HostPlay
  assert.equal(
    play.health?.map(it => 'port' in it && it.port),
    [3128, 3129],
  )
  const conf = play.tasks.find(it => it.task === 'file' && it.path === '/etc/squid/squid.conf')
  assert.equal(refsIn(conf).sort(), [
    'flexible-ip/client-b',
    'flexible-ip/proxy-client-a',
    'pool/client-a-pool',
    'pool/client-b-pool',
  ])
  assert.equal(
    ids.proxies.map(it => it.tenants?.map(({ tenant, flexibleIp }) => [tenant, flexibleIp])),
    [
      [
        ['client-a', 'flexible-ip/proxy-client-a'],
        ['client-b', 'flexible-ip/client-b'],
      ],
    ],
  )
  assert.match(
    JSON.stringify(
      phases
        .at(-1)!
        .desired.concat(phases[1]!.desired)
        .map(it => it.want),
    ),
    /172\.16\.28\.8:3129/,
  )
})

test('a run about one of them configures the proxy for both, in the same way', async () => {
  const context = await loadContext('sandbox', { root: together(), env: {} })
  const limited = forTargets(context, 'client-b')
  assert.equal(
    limited.neighbours?.map(it => it.tenant),
    ['client-a'],
  )
  assert.is(forTargets(context, 'client-*').neighbours, undefined)
  const [whole, one] = [site(context, keys), site(limited, keys)]
  assert.equal(one.stages.configure[0]!.want, whole.stages.configure[0]!.want)
  assert.equal(wantOf(one.cloud, 'server/proxy-client-a'), wantOf(whole.cloud, 'server/proxy-client-a'))
  assert.not.match(JSON.stringify(one.phases.map(it => it.desired.map(({ id }) => id))), /client-a/)
})

for (const { when, proxy, more, says } of [
  {
    when: 'another address',
    proxy: shared.replace('.8', '.9') + own,
    says: /privateIp 172.16.28.9 here, and 172.16.28.8/,
  },
  { when: 'another type', proxy: shared.replace('PICO', 'NANO') + own, says: /type PLAY2-NANO here, and PLAY2-PICO/ },
  { when: 'another image', proxy: shared.replace('noble', 'jammy') + own, says: /image ubuntu_jammy here/ },
  { when: 'protection for one', proxy: `${shared + own}, protect: true`, says: /protect true here, and \(none\)/ },
  { when: 'the same port', proxy: `${shared}, flexibleIp: client-b`, says: /port 3128 of proxy-client-a is taken/ },
  { when: 'the same address', proxy: `${shared}, port: 3129`, says: /the address of proxy-client-a itself is taken/ },
  { when: "a proxy's name for an address", proxy: `${shared}, port: 3129, flexibleIp: proxy-client-a`, says: /taken/ },
  {
    when: 'a cluster whose nodes nobody knows',
    more: { 'context.yaml': [['  cni: cilium', '  kubeconfig: /k']] } as Edits,
    says: /where requests of client-b come from/,
  },
  {
    when: 'variables that differ',
    more: {
      'tenants/client-a.yaml': [['namespace:', 'vars: { tier: one }\nnamespace:']],
      'tenants/client-b.yaml': [['namespace:', 'vars: { tier: two }\nnamespace:']],
    } as Edits,
    says: /tier is another for client-a/,
  },
])
  test(`refuses ${when}, with its line`, async () => {
    const found = await mistakes(together(proxy, more))
    const mine = found.filter(it => says.test(it.message))
    assert.is(mine.length, 1, found.map(it => it.message).join('\n'))
    assert.match(mine[0]!.message, /client-b\.yaml:\d+/)
  })

test('ranges of clients tell tenants of one port apart', async () => {
  const clients = (range: string): [string, string] => ['  mode: enforce', `  clients: [${range}]\n  mode: enforce`]
  const copy = together(`${shared}, flexibleIp: client-b`, {
    'tenants/client-a.yaml': [clients('172.16.28.16/28')],
    'tenants/client-b.yaml': [clients('172.16.28.32/28')],
  })
  const context = await loadContext('sandbox', { root: copy, env: {} })
  const play = site(context, keys).stages.configure[0]!.want as unknown as HostPlay
  const conf = play.tasks.find(it => it.task === 'file' && it.path === '/etc/squid/squid.conf')
  assert.match((conf as { content: string }).content, /^acl from_client-b src 172\.16\.28\.32\/28$/m)
})

test('a pool that scales by itself on a shared proxy is noted, unless the proxy is told ranges', async () => {
  const notes = async (proxy: string, egress = '') => {
    const edits: Edits = {
      'tenants/client-b.yaml': [
        ['size: 1 }', 'size: 1, autoscaling: { min: 1, max: 3 } }'],
        ...(egress ? [['egress:', `egress:${egress}`] as [string, string]] : []),
      ],
    }
    const { warnings } = await loadInventory('sandbox', { root: together(proxy, edits), env: {} })
    return warnings.map(it => it.message)
  }
  const [note = '', ...more] = await notes(shared + own)
  assert.match(
    note,
    /client-b\.yaml:\d+:\d+.*new nodes of client-b-pool are refused by proxy-client-a until 40-configure/,
  )
  assert.equal(more, [])
  assert.equal(await notes(shared + own, '\n  clients: [172.16.28.0/24]'), [])
  assert.equal(await notes(`${ofB} `), [])
})
