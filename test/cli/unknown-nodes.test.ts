import * as assert from 'uvu/assert'
import type { Staged } from '../../src/cli/staged.ts'
import { tellUnknownNodes, unknownNodes } from '../../src/cli/unknown-nodes.ts'
import type { Json } from '../../src/engine/json.ts'
import { squidTasks } from '../../src/hosts/squid.ts'
import type { SquidTenant } from '../../src/hosts/squid-conf.ts'
import { policyOf } from '../../src/policy/entries.ts'
import type { PoolNode } from '../../src/scaleway/nodes.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('nodes that a shared proxy does not know')

const serve = (name: string, port: number, clients: SquidTenant['clients']): SquidTenant => ({
  ...{ name, port, clients },
  policy: policyOf({}, { tenant: name, egress: { mode: 'enforce', allow: [{ domain: 'example.com' }] } }),
})
const poolOf = (tenant: string) => ({ $ref: `pool/${tenant}-pool`, path: 'addresses' })

/** The squid.conf that a proxy got when the pools had these nodes. */
const confWith = (tenants: SquidTenant[], nodes: Record<string, string[]>): string => {
  const { tasks } = squidTasks({ hostName: 'proxy', tenants, inner: ['172.16.28.0/22'] })
  const task = tasks.find(it => it.task === 'file' && it.path === '/etc/squid/squid.conf')
  if (task?.task !== 'file') throw new Error('no squid.conf')
  const fill = (text: string, tenant: string) => text.replaceAll(`@clients:${tenant}@`, nodes[tenant]!.join(' '))
  return Object.keys(nodes).reduce(fill, task.content)
}

const both = [serve('a', 3128, poolOf('a')), serve('a-b', 3129, poolOf('a-b'))]
const node = (n: number, address: string | null = `172.16.28.${n}`): PoolNode => ({ name: `node-${n}`, address })

const staged = (conf: string | null, pools: Record<string, readonly PoolNode[]>, said: string[] = []): Staged => {
  const content = conf === null ? null : Buffer.from(conf).toString('base64')
  const live = new Map<string, { live: Json }>([
    ['host-play/proxy', { live: { states: { '/etc/squid/squid.conf': { content } } } }],
    ...Object.entries(pools).map(
      ([name, nodes]) => [`pool/${name}-pool`, { live: { nodes: [...nodes] } as Json }] as const,
    ),
  ])
  const tenants = ['a', 'a-b'].map(tenant => ({
    ...{ tenant, pool: { name: `${tenant}-pool` } },
    egress: { proxies: [{ name: 'proxy' }] },
  }))
  const session = { context: { tenants }, output: { say: (line: string) => said.push(line) } }
  return { session, plan: { seen: live, changed: new Set() } } as unknown as Staged
}

const when = confWith(both, { a: ['172.16.28.11'], 'a-b': ['172.16.28.21', '172.16.28.22'] })
const known = { a: [node(11)], 'a-b': [node(21), node(22)] }

for (const { name, conf, pools, found } of [
  { name: 'all are known', conf: when, pools: known, found: [] },
  { name: 'one came', conf: when, pools: { ...known, a: [node(11), node(12)] }, found: [['a', ['node-12'], []]] },
  { name: 'one went', conf: when, pools: { ...known, 'a-b': [node(22)] }, found: [['a-b', [], ['172.16.28.21']]] },
  {
    name: 'one was replaced by another',
    conf: when,
    pools: { ...known, a: [node(12)] },
    found: [['a', ['node-12'], ['172.16.28.11']]],
  },
  { name: 'one has no address yet', conf: when, pools: { ...known, a: [node(11), node(12, null)] }, found: [] },
  {
    name: 'the pool had none',
    conf: confWith(both, { a: [], 'a-b': ['172.16.28.21', '172.16.28.22'] }),
    pools: known,
    found: [['a', ['node-11'], []]],
  },
  {
    name: 'the proxy tells a tenant by ranges',
    conf: confWith([serve('a', 3128, ['172.16.28.0/24']), both[1]!], { 'a-b': ['172.16.28.21', '172.16.28.22'] }),
    pools: { ...known, a: [node(12)] },
    found: [],
  },
  { name: 'nobody could look at the proxy', conf: null, pools: { ...known, a: [node(12)] }, found: [] },
] as const)
  test(name, () =>
    assert.equal(
      unknownNodes(staged(conf, pools)).map(it => [it.tenant, it.unknown.map(({ name }) => name), it.former]),
      found,
    ),
  )

test('both are told with what to do', () => {
  const said: string[] = []
  tellUnknownNodes(staged(when, { ...known, a: [node(12)] }, said))
  assert.is(said.length, 2)
  assert.match(said[0]!, /^note: proxy does not know node-12 \(172\.16\.28\.12\) of a-pool, .* run 40-configure\.mjs$/)
  assert.match(said[1]!, /^note: proxy still lets in 172\.16\.28\.11, .* run 40-configure\.mjs$/)
})
