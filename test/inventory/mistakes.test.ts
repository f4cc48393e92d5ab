import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { changed, cleanUp, mistakes } from './edited.ts'

const { test, after } = suite('inventory: mistakes')
after(cleanUp)

for (const { when, file, edit, says } of [
  {
    when: 'an alias without anchor',
    file: 'context.yaml',
    edit: '\ndns: *nowhere\n',
    says: /alias.*cannot be followed.*nowhere/,
  },
  {
    when: 'an alias for what it is a part of',
    file: 'context.yaml',
    edit: '\ndns: &all { nameservers: [*all] }\n',
    says: /:\d+:27: this alias means something that it is a part of/,
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
    when: 'a lifetime that no tunnel survives',
    file: 'tenants/client-a.yaml',
    from: '  mode: enforce',
    to: '  limits: { tunnelLifetime: 500ms }\n  mode: enforce',
    only: /:\d+:29: .*a tunnel lives for seconds at least/,
  },
  {
    when: 'a bandwidth without its unit',
    file: 'tenants/client-a.yaml',
    from: '  mode: enforce',
    to: '  limits: { bandwidth: 10MB }\n  mode: enforce',
    only: /:\d+:24: .*a bandwidth is like 10MB\/s/,
  },
  {
    when: 'a bandwidth that is a mere number: quotes would not help it',
    file: 'tenants/client-a.yaml',
    from: '  mode: enforce',
    to: '  limits: { bandwidth: 10 }\n  mode: enforce',
    only: /:\d+:24: .*like 10MB\/s write it with its unit/,
  },
  {
    when: 'a lifetime that is no time',
    file: 'tenants/client-a.yaml',
    from: '  mode: enforce',
    to: '  limits: { tunnelLifetime: forever }\n  mode: enforce',
    only: /:\d+:29: .*a tunnel lives for seconds at least/,
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

test('a tenant file that cannot be read is a problem, not a crash', async () => {
  const copy = changed({})
  mkdirSync(join(copy, 'inventory/sandbox/tenants/client-c.yaml'))
  assert.match((await mistakes(copy))[0]!.message, /client-c.yaml cannot be read/)
})
