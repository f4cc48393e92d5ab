import * as assert from 'uvu/assert'
import { groupsOf, varsOf } from '../../src/inventory/groups.ts'
import { loadContext } from '../../src/inventory/load.ts'
import { suite } from '../support/suite.ts'
import { changed, cleanUp, mistakes } from './edited.ts'

const { test, after } = suite('inventory: groups and variables')
after(cleanUp)

const context = {
  vars: { site: 'all', level: 0, only: true },
  groups: {
    paris: { vars: { site: 'paris', level: 2 } },
    europe: { children: ['paris'], vars: { site: 'europe', level: 1, zone: 'eu' } },
    loud: { vars: { debug: true, level: 5 } },
  },
}

test('a group comes after its parents, whatever their order in the file', () => {
  assert.equal(groupsOf(context, { groups: ['loud', 'paris'] }), ['europe', 'paris', 'loud'])
  assert.equal(groupsOf(context, {}), [])
})

for (const { of, vars } of [
  { of: {}, vars: { site: 'all', level: 0, only: true } },
  { of: { groups: ['paris'] }, vars: { site: 'paris', level: 2, only: true, zone: 'eu' } },
  { of: { groups: ['loud', 'paris'] }, vars: { site: 'paris', level: 5, only: true, zone: 'eu', debug: true } },
  { of: { groups: ['paris'], vars: { level: 9 } }, vars: { site: 'paris', level: 9, only: true, zone: 'eu' } },
])
  test(`variables of ${JSON.stringify(of)}`, () => assert.equal(varsOf(context, of), vars))

test('a file of an inventory gives them to its tenants', async () => {
  const root = changed({
    'context.yaml': [['verify:', 'vars: { team: egress }\ngroups: { paris: { vars: { names: [a, b] } } }\nverify:']],
    'tenants/client-a.yaml': [['namespace:', 'groups: [paris]\nvars: { rack: "7" }\nnamespace:']],
  })
  const whole = await loadContext('sandbox', { root, env: {} })
  assert.equal(
    whole.tenants.map(it => varsOf(whole, it)),
    [{ team: 'egress', names: ['a', 'b'], rack: '7' }, { team: 'egress' }],
  )
})

test('every mistake with groups is told with its place', async () => {
  const copy = changed({
    'context.yaml': [
      [
        'verify:',
        'groups:\n  one: { children: [two] }\n  two: { children: [one, thre] }\n  all: {}\n  client-a: {}\n  tenant-client-b: {}\n  three: { vars: { ansible_host: x } }\nverify:',
      ],
    ],
    'tenants/client-a.yaml': [['namespace:', 'groups: [tow]\nnamespace:']],
  })
  const text = (await mistakes(copy)).map(it => `${it.message} | ${it.why} | ${it.next}`).join('\n')
  assert.match(text, /context.yaml:\d+:\d+: group two is above and below one/)
  assert.match(text, /there is no group thre \| .* \| did you mean three\?/)
  assert.match(text, /group all has a name of every host/)
  assert.match(text, /group client-a has a name of tenant client-a/)
  assert.match(text, /group tenant-client-b has the name of a tenant's group/)
  assert.match(text, /client-a.yaml:\d+:\d+: there is no group tow \| .* \| did you mean two\?/)
  assert.match(text, /begins with a small letter, and not with ansible_/)
})

for (const { when, words, says } of [
  { when: 'a password written down', words: 'become: { password: secret }', says: /named, never written here/ },
  {
    when: 'sudo for root',
    words: 'become: { password: { env: SUDO } }',
    says: /ssh\.become|root has no password for sudo/,
  },
])
  test(`${when} is a mistake with its place, and not repeated`, async () => {
    const found = await mistakes(changed({ 'context.yaml': [['  user: root', `  user: root\n  ${words}`]] }))
    assert.match(found.map(it => `${it.message} ${it.why}`).join('\n'), says)
    for (const it of found) assert.match(it.message, /context.yaml:\d+:\d+/)
    for (const it of found) assert.not.match(`${it.message}${it.next}`, /"secret"/)
  })

test('a user that is not root may need a password, whose file is found from anywhere', async () => {
  const words = '  user: ops\n  become: { password: { file: keys/sudo } }'
  const root = changed({ 'context.yaml': [['  user: root', words]] })
  const { ssh } = await loadContext('sandbox', { root, env: {} })
  assert.equal(ssh.become, { password: { file: `${root}/keys/sudo` } })
})

for (const { words, says } of [
  { words: 'serial: 30', says: null },
  { words: 'serial: [1, 150%]', says: /150%.* a share is like 25%/ },
  { words: 'health: [{ port: 3128, command: x }]', says: /a health check is/ },
  { words: 'onFailure: kep', says: /did you mean keep/ },
])
  test(`configure: { ${words} }${says ? ' is refused' : ''}`, async () => {
    const found = await mistakes(changed({ 'context.yaml': [['verify:', `configure: { ${words} }\nverify:`]] }))
    const text = found.map(it => `${it.message} ${it.why} ${it.next}`).join('\n')
    if (says) assert.match(text, says)
    else assert.is(text, '')
  })
