import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { jsonSchemas } from '../../src/inventory/json-schema.ts'
import { contexts, loadContext } from '../../src/inventory/load.ts'
import { suite } from '../support/suite.ts'
import { changed, cleanUp, mistakes, root } from './edited.ts'

const { test, after } = suite('inventory')
after(cleanUp)

test('the contexts of the repository are right', async () => {
  assert.equal(await contexts(root), ['production.example', 'sandbox'])
  for (const name of await contexts(root)) assert.equal(await mistakes(root, name), [])
})

test('defaults are filled in, paths are whole, and nothing can be changed', async () => {
  const context = await loadContext('sandbox', { root })
  assert.is(context.cluster.podCidr, '100.64.0.0/15')
  assert.is(context.ssh.identity, join(root, '.egress/.sandbox/id_ed25519'))
  assert.equal(
    context.tenants.map(it => it.tenant),
    ['client-a', 'client-b'],
  )
  assert.throws(() => Object.assign(context.tenants[0]!, { tenant: 'x' }))
})

test('ten different mistakes are ten problems, each with file, line and column, exit 2', async () => {
  const copy = changed({
    'context.yaml': [
      ['region: fr-par,', 'regoin: fr-par,'],
      ['cidr: 172.16.28.0/22', 'cidr: 172.16.29.0/22'],
      ['type: VPC-GW-S', 'type: 7'],
      ['cni: cilium', 'cni: cillium'],
      ['port: 61000', 'port: 99999'],
    ],
    'tenants/client-a.yaml': [
      ['namespace: client-a-demo', 'namespace: Client_A'],
      ['{ domain: .github.com }', '{ domain: "*.github.com" }'],
      ['batches: [50%, 100%]', 'batches: [50%, 25%]'],
      ['privateIp: 172.16.28.8', 'privateIp: 172.16.28.800'],
    ],
    'tenants/client-b.yaml': [
      ['tenant: client-b', 'tenant: client-c'],
      ['172.16.28.9', '10.0.0.9'],
    ],
  })
  const found = await mistakes(copy)
  assert.ok(found.length === 12, found.map(it => it.message).join('\n'))
  for (const it of found) {
    assert.is(it.exit, 2)
    assert.match(it.message, /^inventory\/sandbox\/[a-z/-]+\.yaml:\d+:\d+: /)
    assert.ok(it.why.length > 0 && it.next.length > 0)
  }
  const text = found.map(it => `${it.message} | ${it.next}`).join('\n')
  assert.match(text, /context.yaml:6:13: unknown key regoin \| did you mean region\?/)
  assert.match(text, /did you mean cilium\?/)
  assert.match(text, /client-b.yaml:2:9: tenant client-c stands in the file client-b/)
})

for (const { when, file, from, to, says } of [
  {
    when: 'YAML that is none',
    file: 'context.yaml',
    from: 'network:\n',
    to: 'network: [\n',
    says: /context.yaml:\d+:\d+: this is not YAML/,
  },
  {
    when: 'an order that names no tenant',
    file: 'context.yaml',
    from: 'context: sandbox',
    to: 'context: sandbox\nrollout: { order: [client-b, clinet-a] }',
    says: /context.yaml:4:30: there is no tenant clinet-a.*did you mean client-a\?/s,
  },
  {
    when: 'an order that names a tenant twice',
    file: 'context.yaml',
    from: 'context: sandbox',
    to: 'context: sandbox\nrollout: { order: [client-b, client-b] }',
    says: /context.yaml:4:30: tenant client-b is there twice/,
  },
  {
    when: 'batches that do not rise',
    file: 'tenants/client-a.yaml',
    from: 'batches: [50%, 100%]',
    to: 'batches: [3, 2, 100%]',
    says: /3, 2, 100% is no way to 100%/,
  },
  {
    when: 'a key twice',
    file: 'context.yaml',
    from: 'context: sandbox',
    to: 'context: sandbox\ncontext: sandbox',
    says: /context.yaml:4:1: this is not YAML.*unique/,
  },
  {
    when: 'a number for a version',
    file: 'context.yaml',
    from: '"1.34"',
    to: '1.34',
    says: /cluster.version: 1.34 is not right/,
  },
  {
    when: 'host bits',
    file: 'context.yaml',
    from: '172.16.28.0/22',
    to: '172.16.28.1/22',
    says: /172.16.28.1\/22 names a host/,
  },
  {
    when: 'an overlap with pods',
    file: 'context.yaml',
    from: '  version: "1.34"',
    to: '  version: "1.34"\n  podCidr: 172.16.0.0/12',
    says: /overlaps network.privateNetwork.cidr/,
  },
  {
    when: 'an excluded range',
    file: 'context.yaml',
    from: '172.16.28.0/22',
    to: '169.254.28.0/22',
    says: /169.254.28.0\/22 cannot be a private network/,
  },
  {
    when: 'a zone elsewhere',
    file: 'context.yaml',
    from: 'fr-par-1',
    to: 'nl-ams-1',
    says: /zone nl-ams-1 is not in fr-par/,
  },
  {
    when: 'an address outside',
    file: 'tenants/client-a.yaml',
    from: '172.16.28.8',
    to: '172.16.32.8',
    says: /172.16.32.8 cannot be the proxy's address/,
  },
  {
    when: 'a reserved address',
    file: 'tenants/client-a.yaml',
    from: '172.16.28.8',
    to: '172.16.28.1',
    says: /172.16.28.1 cannot be the proxy's address/,
  },
  {
    when: 'an address taken',
    file: 'tenants/client-b.yaml',
    from: '172.16.28.9',
    to: '172.16.28.8',
    says: /address 172.16.28.8 is taken by client-a/,
  },
  {
    when: 'a scheme',
    file: 'tenants/client-b.yaml',
    from: 'domain: example.com',
    to: 'domain: https://example.com',
    says: /no scheme/,
  },
  {
    when: 'a top-level domain',
    file: 'tenants/client-b.yaml',
    from: 'domain: example.com',
    to: 'domain: .com',
    says: /top-level/,
  },
  {
    when: 'an address for a domain',
    file: 'tenants/client-b.yaml',
    from: 'domain: example.com',
    to: 'domain: 192.0.2.1',
    says: /an address is not a domain/,
  },
  {
    when: 'the same name in capitals',
    file: 'tenants/client-b.yaml',
    from: '- { domain: example.com }',
    to: '- { domain: example.com }\n    - { domain: Example.com. }',
    says: /client-b.yaml:12:17: example.com is there twice/,
  },
  {
    when: 'a covered domain',
    file: 'tenants/client-a.yaml',
    from: '- { domain: .github.com }',
    to: '- { domain: .github.com }\n    - { domain: api.github.com }',
    says: /api.github.com is covered by .github.com/,
  },
  {
    when: 'a strange canary',
    file: 'tenants/client-b.yaml',
    from: /canary: .*/,
    to: 'canary: { kind: Deployment, name: other }',
    says: /the canary Deployment other is none of the workloads/,
  },
]) {
  test(`a mistake is found: ${when}`, async () => {
    const found = await mistakes(changed({ [file]: [[from, to]] }))
    assert.ok(found.length >= 1, 'nothing was found')
    assert.match(found.map(it => `${it.message} ${it.why} ${it.next}`).join('\n'), says)
    assert.ok(found.every(it => it.exit === 2))
  })
}

test('a canary that only selectors find is a workload, beside those of the list', async () => {
  const file = 'tenants/client-b.yaml'
  const selectors = 'selectors: [{ labels: { part: shop } }]\nrollout:'
  const copy = changed({
    [file]: [
      [/canary: .*/, 'canary: { kind: StatefulSet, name: db }'],
      ['rollout:', selectors],
    ],
  })
  const [, b] = (await loadContext('sandbox', { root: copy, env: {} })).tenants
  assert.equal(
    b?.workloads.map(it => `${it.kind} ${it.name}`),
    ['StatefulSet db', 'Deployment curl-demo'],
  )
})

test('KUBECONFIG is a cluster that exists, but not for the sandbox, and not the file we wrote', async () => {
  const kubeconfig = async (name: string, path: string) =>
    (await loadContext(name, { root, env: { KUBECONFIG: path } })).cluster.kubeconfig
  assert.is(await kubeconfig('production.example', '/home/me/.kube/config'), '/home/me/.kube/config')
  assert.is(await kubeconfig('production.example', join(root, '.egress/production.example/kubeconfig')), undefined)
  assert.is(await kubeconfig('sandbox', '/home/me/.kube/config'), undefined)
})

test('a context that is not there names the nearest, and a path is no context', async () => {
  assert.match((await mistakes(root, 'sandbx'))[0]!.next, /--context sandbox/)
  assert.match((await mistakes(root, '../etc'))[0]!.message, /no context/)
})

test('the schemas for editors are those of the validators', () => {
  for (const [name, text] of Object.entries(jsonSchemas())) {
    assert.is(readFileSync(join(root, 'inventory/schema', name), 'utf8'), text, `run npm run schema`)
  }
})
