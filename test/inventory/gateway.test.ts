import * as assert from 'uvu/assert'
import { loadContext } from '../../src/inventory/load.ts'
import { suite } from '../support/suite.ts'
import { changed, cleanUp, mistakes } from './edited.ts'

const { test, after } = suite('inventory: a tenant that leaves by pods')
after(cleanUp)

const proxy = / {2}proxy: \{ name: proxy-client-b.*\n/
type Edit = [from: string | RegExp, to: string]
const gateway = (more = '', ...edits: Edit[]) =>
  changed({ 'tenants/client-b.yaml': [['via: proxy-vm', `via: gateway-pod${more}`], [proxy, ''], ...edits] })

test('what is not said is usual: two pods on its own pool, an image by its digest', async () => {
  const context = await loadContext('sandbox', { root: gateway(), env: {} })
  const { egress } = context.tenants[1]!
  assert.equal(egress.proxies, [])
  assert.is(egress.through, 'gateway')
  const { image, ...rest } = egress.gateway!
  assert.equal(rest, { replicas: 2, pool: 'client-b-pool', port: 3128 })
  assert.match(image, /@sha256:[0-9a-f]{64}$/)
})

test('what is said counts', async () => {
  const said =
    '\n  gateway: { image: registry.example/squid:6, replicas: 3, pool: system, port: 8080, publicIp: 203.0.113.9 }'
  const context = await loadContext('sandbox', { root: gateway(said), env: {} })
  assert.equal(context.tenants[1]!.egress.gateway, {
    ...{ image: 'registry.example/squid:6', replicas: 3, pool: 'system', port: 8080, publicIp: '203.0.113.9' },
  })
})

const existing: Edit = ['cluster:\n', 'cluster:\n  kubeconfig: k\n']
for (const { when, root, says } of [
  {
    when: 'a host beside it',
    root: () => changed({ 'tenants/client-b.yaml': [['via: proxy-vm', 'via: gateway-pod']] }),
    says: /egress\.proxy says nothing here/,
  },
  {
    when: 'its words on the other plane',
    root: () => changed({ 'tenants/client-b.yaml': [['via: proxy-vm', 'via: proxy-vm\n  gateway: { replicas: 1 }']] }),
    says: /egress\.gateway says nothing here/,
  },
  {
    when: 'a pool that is not there',
    root: () => gateway('\n  gateway: { pool: systm }'),
    says: /no pool systm.*did you mean system/,
  },
  { when: 'a port for root', root: () => gateway('\n  gateway: { port: 80 }'), says: /gateway\.port: 80 is not right/ },
  { when: 'an image with a blank', root: () => gateway("\n  gateway: { image: 'a b' }"), says: /an image is like/ },
  { when: 'a look at TLS', root: () => gateway('\n  sni: verify'), says: /sni is not for a gateway-pod/ },
  { when: 'clients', root: () => gateway('\n  clients: [10.0.0.0/8]'), says: /clients is not for a gateway-pod/ },
  {
    when: 'what the kernel of a host limits',
    root: () => gateway('\n  limits: { bandwidth: 1MB/s, tunnelLifetime: 8h }'),
    says: /bandwidth is not for a gateway-pod.*tunnelLifetime is not for a gateway-pod/,
  },
  {
    when: 'a cluster that is not ours, and no address',
    root: () =>
      changed({
        'context.yaml': [existing],
        'tenants/client-b.yaml': [
          ['via: proxy-vm', 'via: gateway-pod'],
          [proxy, ''],
        ],
      }),
    says: /nobody says which address its nodes leave with/,
  },
])
  test(`a mistake is found: ${when}`, async () => {
    const found = await mistakes(root())
    assert.match(found.map(it => `${it.message} ${it.why} ${it.next}`).join(' '), says)
    assert.ok(found.every(it => it.exit === 2))
  })
