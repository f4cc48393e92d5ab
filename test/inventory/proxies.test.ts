import * as assert from 'uvu/assert'
import { site } from '../../playbooks/site.ts'
import { forTargets } from '../../src/cli/limit.ts'
import { placeOf } from '../../src/cli/places.ts'
import { proxiesIn } from '../../src/inventory/context.ts'
import { loadContext } from '../../src/inventory/load.ts'
import { suite } from '../support/suite.ts'
import { changed, cleanUp, mistakes } from './edited.ts'

const { test, after } = suite('inventory/proxies')
after(cleanUp)

const one = '  proxy: { name: proxy-client-a, type: PLAY2-PICO, image: ubuntu_noble, privateIp: 172.16.28.8 }'
const written = (name: string, privateIp: string, more = '') =>
  `    - { name: ${name}, type: PLAY2-PICO, image: ubuntu_noble, privateIp: ${privateIp}${more} }\n`
const first = written('proxy-client-a', '172.16.28.8')
const second = written('proxy-client-a-2', '172.16.28.18', ', zone: fr-par-2')
const withProxies = (list: string) => changed({ 'tenants/client-a.yaml': [[one, `  proxies:\n${list.trimEnd()}`]] })
const keys = { operatorKey: 'ssh-ed25519 A', kubeconfig: '/k' }

test('several proxies are made each with its addresses; the first is the one of the outputs', async () => {
  const context = await loadContext('sandbox', { root: withProxies(first + second), env: {} })
  const [a, b] = context.tenants
  assert.is(a?.egress.through, 'service')
  assert.is(b?.egress.through, 'address')
  const names = ['proxy-client-a', 'proxy-client-a-2', 'proxy-client-b']
  assert.equal(
    proxiesIn(context).map(({ proxy }) => proxy.name),
    names,
  )
  const { cloud, stages, ids } = site(context, keys)
  for (const kind of ['server', 'flexible-ip', 'ipam-address'])
    assert.equal(
      cloud.flatMap(({ id }) => (id.startsWith(`${kind}/`) ? [id.slice(kind.length + 1)] : [])),
      names,
    )
  assert.equal(
    stages.configure.map(it => it.id),
    names.map(it => `host-play/${it}`),
  )
  assert.equal(
    ids.proxies.map(it => it.name),
    names,
  )
})

test('one that is listed is reached through the Service too', async () => {
  const context = await loadContext('sandbox', { root: withProxies(first), env: {} })
  assert.is(context.tenants[0]?.egress.through, 'service')
})

test('any of them names its tenant, and its mistakes their line', async () => {
  const context = await loadContext('sandbox', { root: withProxies(first + second), env: {} })
  assert.equal(
    forTargets(context, 'proxy-client-a-2').tenants.map(it => it.tenant),
    ['client-a'],
  )
  assert.equal(placeOf({ step: 'server/proxy-client-a-2', field: 'type' }, context), {
    tenant: 'client-a',
    path: ['egress', 'proxies', 1, 'type'],
  })
  assert.equal(placeOf({ step: 'ipam-address/proxy-client-b', field: 'address' }, context), {
    tenant: 'client-b',
    path: ['egress', 'proxy', 'privateIp'],
  })
})

for (const { when, list, says } of [
  {
    when: 'a name twice',
    list: first + written('proxy-client-a', '172.16.28.18'),
    says: /proxy-client-a is there twice/,
  },
  {
    when: 'an address twice',
    list: first + written('other', '172.16.28.8'),
    says: /address 172.16.28.8 is there twice/,
  },
  { when: "another tenant's address", list: first + written('other', '172.16.28.9'), says: /172.16.28.9 is taken by/ },
  {
    when: 'an address outside',
    list: first + written('other', '172.16.99.9'),
    says: /172.16.99.9 cannot be the proxy/,
  },
  {
    when: 'a zone elsewhere',
    list: first + written('other', '172.16.28.18', ', zone: nl-ams-1'),
    says: /client-a.yaml:\d+:\d+: zone nl-ams-1 is not in fr-par/,
  },
  {
    when: 'no type',
    list: `${first}    - { name: other, privateIp: 172.16.28.18 }\n`,
    says: /egress.proxies.1.type is missing/,
  },
  {
    when: 'a port of its own',
    list: first + written('other', '172.16.28.18', ', port: 3129'),
    says: /port 3129 is not that of the first/,
  },
  { when: 'none', list: '    []', says: /egress.proxies: \[\] is not right/ },
  { when: 'both words', list: `${first}${one}`, says: /egress says both proxy and proxies/ },
])
  test(`${when} is a mistake`, async () => {
    const found = (await mistakes(withProxies(list))).map(it => it.message)
    assert.ok(
      found.some(it => says.test(it)),
      found.join('\n'),
    )
  })

test('neither word is a mistake', async () => {
  const found = await mistakes(changed({ 'tenants/client-a.yaml': [[`${one}\n`, '']] }))
  assert.match(found.map(it => it.message).join(), /egress.proxy is missing/)
})
