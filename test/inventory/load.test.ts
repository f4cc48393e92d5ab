import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { type Problem, Problems } from '../../src/engine/problem.ts'
import { byHand } from '../../src/inventory/context.ts'
import { jsonSchemas } from '../../src/inventory/json-schema.ts'
import { contexts, loadContext } from '../../src/inventory/load.ts'
import { suite } from '../support/suite.ts'

const { test, after } = suite('inventory')
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const made: string[] = []
after(() => {
  for (const it of made) rmSync(it, { recursive: true })
})

/** A copy of the repository's inventory with texts replaced: file -> [from, to]. */
const changed = (edits: Record<string, [from: string | RegExp, to: string][]>) => {
  const copy = mkdtempSync(join(tmpdir(), 'inventory-'))
  made.push(copy)
  cpSync(join(root, 'inventory'), join(copy, 'inventory'), { recursive: true })
  for (const [file, replacements] of Object.entries(edits)) {
    const path = join(copy, 'inventory/sandbox', file)
    let text = readFileSync(path, 'utf8')
    for (const [from, to] of replacements) {
      const next = text.replace(from, to)
      if (next === text) throw new Error(`${file} has no ${from}`)
      text = next
    }
    writeFileSync(path, text)
  }
  return copy
}

const mistakes = async (copy: string, name = 'sandbox'): Promise<Problem[]> => {
  try {
    await loadContext(name, { root: copy })
    return []
  } catch (error) {
    return error instanceof Problems ? [...error.all] : [error as Problem]
  }
}

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
    when: 'capitals',
    file: 'tenants/client-b.yaml',
    from: 'domain: example.com',
    to: 'domain: Example.com',
    says: /lower case: example.com/,
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
    says: /the canary other is none of the workloads/,
  },
  {
    when: 'gateway-pod',
    file: 'tenants/client-b.yaml',
    from: 'via: proxy-vm',
    to: 'via: gateway-pod',
    says: /gateway-pod is not built yet/,
  },
]) {
  test(`a mistake is found: ${when}`, async () => {
    const found = await mistakes(changed({ [file]: [[from, to]] }))
    assert.ok(found.length >= 1, 'nothing was found')
    assert.match(found.map(it => `${it.message} ${it.why} ${it.next}`).join('\n'), says)
    assert.ok(found.every(it => it.exit === 2))
  })
}

for (const { when, file, edit, says } of [
  {
    when: 'an alias without anchor',
    file: 'context.yaml',
    edit: '\ndns: *nowhere\n',
    says: /alias.*cannot be followed.*nowhere/,
  },
  {
    when: 'a tag nobody knows',
    file: 'context.yaml',
    edit: '\ndns: !ruby/object {}\n',
    says: /:\d+:6: .*Unresolved tag/,
  },
  { when: 'an empty section', file: 'context.yaml', edit: '\ndns:\n', says: /dns: null.*leave the key out/ },
  { when: 'a second document', file: 'context.yaml', edit: '\n---\ncontext: x\n', says: /multiple documents/ },
]) {
  test(`a mistake is found: ${when}`, async () => {
    const copy = changed({})
    appendFileSync(join(copy, 'inventory/sandbox', file), edit)
    const found = await mistakes(copy)
    assert.match(found.map(it => `${it.message} ${it.why} ${it.next}`).join('\n'), says)
    assert.ok(found.every(it => it.exit === 2))
  })
}

for (const { when, file, from, to, only } of [
  {
    when: 'host bits of an operator range',
    file: 'context.yaml',
    from: /^ {2}allow: .*$/m,
    to: '  allow: [203.0.113.241/28]',
    only: /write 203.0.113.240\/28/,
  },
  {
    when: 'host bits of an IPv6 range',
    file: 'context.yaml',
    from: /^ {2}allow: .*$/m,
    to: '  allow: [2001:db8::1/32]',
    only: /write 2001:db8::\/32/,
  },
  {
    when: 'the same name with fewer ports',
    file: 'tenants/client-a.yaml',
    from: '- { domain: .github.com }',
    to: '- { domain: .github.com }\n    - { domain: github.com, ports: [443] }',
    only: /:12:17: github.com is covered by .github.com/,
  },
  {
    when: 'a namespace of the cluster',
    file: 'tenants/client-a.yaml',
    from: 'client-a-demo',
    to: 'kube-system',
    only: /:3:12: .*belongs to the cluster/,
  },
  {
    when: 'an echo service that Squid would refuse',
    file: 'tenants/client-b.yaml',
    from: 'domain: whatismyip.example, ports: [80, 443]',
    to: 'domain: whatismyip.example, ports: [80]',
    only: /https:\/\/whatismyip.example\/ of verify.echo is not allowed/,
  },
  {
    when: 'a forbidden probe that is allowed',
    file: 'context.yaml',
    from: 'verify:',
    to: 'verify:\n  forbidden: https://api.github.com/',
    only: /client-a.yaml:11:17: verify.forbidden is allowed/,
  },
  {
    when: 'a version without quotes',
    file: 'context.yaml',
    from: '"1.34"',
    to: '1.34',
    only: /put it in quotes: "1.34"/,
  },
  {
    when: 'a port in quotes, without mistakes that follow from it',
    file: 'tenants/client-a.yaml',
    from: '[80, 443], comment',
    to: '[80, "443"], comment',
    only: /:10:49: .*leave out the quotes: 443/,
  },
]) {
  test(`one mistake and no other: ${when}`, async () => {
    const found = await mistakes(changed({ [file]: [[from, to]] }))
    assert.is(found.length, 1, found.map(it => it.message).join('\n'))
    assert.match(`${found[0]!.message} ${found[0]!.why} ${found[0]!.next}`, only)
  })
}

for (const { when, edit } of [
  { when: 'the same name with other ports', edit: '- { domain: github.com, ports: [8443] }' },
  { when: 'a name that only ends alike', edit: '- { domain: notgithub.com }' },
  { when: 'another name', edit: '- { domain: a.b.example }' },
]) {
  test(`no mistake: ${when}`, async () => {
    const copy = changed({
      'tenants/client-a.yaml': [['- { domain: .github.com }', `- { domain: .github.com }\n    ${edit}`]],
    })
    assert.equal(await mistakes(copy), [])
  })
}

test('what is left to a person is accepted and said', async () => {
  const copy = changed({
    'tenants/client-a.yaml': [
      ['soak: 1s }', 'soak: 1s }\n  externalAllowlist: { provider: crunchybridge, network: <id> }'],
    ],
  })
  assert.match(byHand(await loadContext('sandbox', { root: copy }))[0]!, /client-a: crunchybridge .* by hand/)
  assert.equal(byHand(await loadContext('sandbox', { root })), [])
})

test('a tenant file that cannot be read is a problem, not a crash', async () => {
  const copy = changed({})
  mkdirSync(join(copy, 'inventory/sandbox/tenants/client-c.yaml'))
  assert.match((await mistakes(copy))[0]!.message, /client-c.yaml cannot be read/)
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
