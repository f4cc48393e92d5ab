import * as assert from 'uvu/assert'
import { forTargets } from '../../src/cli/limit.ts'
import { Problem } from '../../src/engine/problem.ts'
import { loadContext } from '../../src/inventory/load.ts'
import { choose } from '../../src/inventory/pattern.ts'
import { suite } from '../support/suite.ts'
import { changed, cleanUp } from './edited.ts'

const { test, after } = suite('inventory: patterns of hosts')
after(cleanUp)

const hosts = [
  { names: ['web1', 'web', 'eu'] },
  { names: ['web2', 'web', 'us'] },
  { names: ['db1', 'db', 'eu'] },
  { names: ['db2', 'db', 'us', 'canary'] },
]
const chosen = (pattern: string) => choose(pattern, hosts, 'the hosts').map(it => it.names[0])
const refused = (pattern: string): Problem => {
  try {
    choose(pattern, hosts, 'the hosts')
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error(`${pattern} was not refused`)
}

for (const { pattern, is } of [
  { pattern: 'web1', is: 'web1' },
  { pattern: 'web', is: 'web1 web2' },
  { pattern: 'web*', is: 'web1 web2' },
  { pattern: '*1', is: 'web1 db1' },
  { pattern: 'web?', is: 'web1 web2' },
  { pattern: '*[2-9]', is: 'web2 db2' },
  { pattern: 'all', is: 'web1 web2 db1 db2' },
  { pattern: 'web1:db2', is: 'web1 db2' },
  { pattern: 'db2, web1', is: 'web1 db2' },
  { pattern: 'web:&eu', is: 'web1' },
  { pattern: '&eu:&db', is: 'db1' },
  { pattern: '!web1', is: 'web2 db1 db2' },
  { pattern: 'eu:us:!canary', is: 'web1 web2 db1' },
  { pattern: '!canary:us', is: 'web2' },
  { pattern: 'all:!web:!canary', is: 'db1' },
  { pattern: '~^(web|db)1$', is: 'web1 db1' },
  { pattern: '!~1$', is: 'web2 db2' },
  { pattern: '~(?:we)b2,db1', is: 'web2 db1' },
  { pattern: 'web*:!nothing*', is: 'web1 web2' },
])
  test(`${pattern} is ${is}`, () => assert.is(chosen(pattern).join(' '), is))

for (const { pattern, says } of [
  { pattern: 'wep1', says: /did you mean web1\?/ },
  { pattern: 'all:!cannary', says: /did you mean canary\?/ },
  { pattern: 'web1:&db', says: /matches nothing/ },
  { pattern: 'x*', says: /matches nothing/ },
  { pattern: '', says: /matches nothing/ },
  { pattern: 'a.b', says: /matches nothing by a\.b/ },
  { pattern: '~(', says: /cannot be read/ },
])
  test(`${JSON.stringify(pattern)} is refused, and nothing was touched`, () => {
    const { message, next, exit } = refused(pattern)
    assert.is(exit, 2)
    assert.match(`${message} ${next}`, says)
  })

test('tenants answer to their names, their proxy and their groups, also through a child', async () => {
  const root = changed({
    'context.yaml': [['verify:', 'groups: { europe: { children: [paris] }, paris: {}, late: {} }\nverify:']],
    'tenants/client-a.yaml': [['namespace:', 'groups: [paris]\nnamespace:']],
    'tenants/client-b.yaml': [['namespace:', 'groups: [late]\nnamespace:']],
  })
  const context = await loadContext('sandbox', { root, env: {} })
  const of = (limit: string) => forTargets(context, limit).tenants.map(it => it.tenant)
  assert.equal(of('europe'), ['client-a'])
  assert.equal(of('!europe'), ['client-b'])
  assert.equal(of('proxy-client-b:client-a-demo'), ['client-a', 'client-b'])
  assert.equal(of('egress:&late'), ['client-b'])
})
