import { readFileSync, writeFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { refsIn } from '../../src/engine/refs.ts'
import { squidTasks, ufwTask } from '../../src/hosts/squid.ts'
import type { SquidTenant } from '../../src/hosts/squid-conf.ts'
import { type FileTask, fileTask } from '../../src/hosts/tasks/file.ts'
import { policyOf } from '../../src/policy/entries.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('squid')

const clientA: SquidTenant = {
  name: 'client-a',
  port: 3128,
  clients: ['172.16.28.0/22'],
  policy: policyOf(
    {},
    {
      tenant: 'client-a',
      egress: {
        mode: 'enforce',
        allow: [{ domain: '.github.com' }, { domain: 'api.partner.example', ports: [443, 8443] }],
      },
    },
  ),
}
const clientB: SquidTenant = {
  name: 'client-b',
  port: 3129,
  clients: ['172.16.28.0/22'],
  policy: policyOf({}, { tenant: 'client-b', egress: { mode: 'report', allow: [{ domain: 'b.example' }] } }),
}

const certified = { ...clientA, certificates: { ca: 'ca', crl: 'crl', names: ['client-a', '/O=bank/CN=client-a2'] } }

const contentOf = (path: string, tenants: SquidTenant[]) => {
  const { tasks } = squidTasks({
    hostName: 'proxy-1',
    tenants,
    inner: ['172.16.28.0/22', '203.0.113.100/32'],
    nameservers: ['203.0.113.2'],
  })
  for (const it of tasks) if (it.task === 'file' && it.path === path) return it.content
  throw new Error(`no task writes ${path}`)
}

for (const [name, tenants] of [
  ['squid-one.conf', [clientA]],
  ['squid-two.conf', [clientA, clientB]],
  ['squid-certificates.conf', [certified, clientB]],
] as const)
  test(`golden ${name}`, () => {
    const golden = new URL(`../golden/${name}`, import.meta.url)
    const content = contentOf('/etc/squid/squid.conf', [...tenants])
    if (process.env.UPDATE) writeFileSync(golden, content)
    assert.fixture(content, readFileSync(golden, 'utf8'))
  })

test('what is known later stands in a word, and is there when the file is written', () => {
  const nodes = { $ref: 'pool/b', path: 'addresses' }
  const { tasks } = squidTasks({
    hostName: 'proxy-1',
    tenants: [
      { ...clientA, outgoing: '203.0.113.8' },
      { ...clientB, clients: nodes, outgoing: { $ref: 'flexible-ip/b', path: 'address' } },
    ],
    inner: [],
  })
  const conf = tasks.find(it => it.task === 'file' && it.path === '/etc/squid/squid.conf') as FileTask
  assert.match(conf.content, /^tcp_outgoing_address 203\.0\.113\.8 in_3128 from_client-a$/m)
  assert.equal(refsIn(conf).sort(), ['flexible-ip/b', 'pool/b'])
  const fill = { '@clients:client-b@': ['172.16.28.20', '172.16.28.21'], '@address:client-b@': '203.0.113.9' }
  const { diff = '' } = fileTask.diff({ ...conf, fill }, fileTask.parse('type absent\n'))!
  assert.match(diff, /^\+acl from_client-b src 255\.255\.255\.255 172\.16\.28\.20 172\.16\.28\.21$/m)
  assert.match(diff, /^\+tcp_outgoing_address 203\.0\.113\.9 in_3129 from_client-b$/m)
  assert.not.match(diff, /@\w+:/)
  const script = tasks.find(it => it.task === 'file' && it.path.endsWith('/tenant-addresses')) as FileTask
  assert.match(script.content, /^for it in @address:client-b@; do$/m, 'only those that are ours to make')
})

test('the order of defence: the name before the address, everything else denied', () => {
  const rules = contentOf('/etc/squid/squid.conf', [clientA, clientB])
    .split('\n')
    .filter(it => it.startsWith('http_access'))
  const at = (part: string) => rules.findIndex(it => it.includes(part))
  assert.ok(at('!known') < at('!policy_client-a'))
  assert.ok(at('!policy_client-b') < at('deny inner'))
  assert.ok(at('deny !resolved') < at('allow in_3128 from_client-a'))
  for (const rule of rules.filter(it => it.includes('allow') && !it.includes('manager')))
    assert.match(rule, /^http_access allow in_\d+ from_\S+$/)
  assert.is(rules.at(-1), 'http_access deny all')
  assert.not.match(rules.join('\n'), /allow all/)
})

const refused: { when: string; tenants: SquidTenant[] }[] = [
  {
    when: 'sources that overlap on one port',
    tenants: [clientA, { ...clientB, port: 3128, clients: ['172.16.29.0/24'] }],
  },
  { when: 'two tenants of one name', tenants: [clientA, { ...clientA, port: 3130 }] },
  { when: 'a name for another grammar', tenants: [{ ...clientA, name: 'a b' }] },
  { when: 'a source that is no address', tenants: [{ ...clientA, clients: ['pods'] }] },
]
for (const { when, tenants } of refused)
  test(`refuses ${when}`, () =>
    assert.throws(
      () => squidTasks({ hostName: 'p', tenants, inner: [] }),
      (it: unknown) => it instanceof Problem,
    ))

test('the firewall lets SSH in first', () => {
  const { rules } = ufwTask({
    ssh: { allow: ['203.0.113.0/24'], port: 22 },
    proxy: { from: ['172.16.28.0/22'], ports: [3128, 3129] },
  })
  assert.equal(
    rules.map(it => `${it.from} ${it.port}`),
    ['203.0.113.0/24 22', '172.16.28.0/22 3128', '172.16.28.0/22 3129'],
  )
})
