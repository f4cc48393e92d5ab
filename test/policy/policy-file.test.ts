import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { byName, type Policy, type Rule } from '../../src/policy/policy.ts'
import { policyText, readPolicy } from '../../src/policy/policy-file.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('policy file')

const rule = (effect: Rule['effect'], name: string, more: Partial<Rule> = {}): Rule => ({
  ...{ id: `${effect}:${name}`, effect, name, connect: [443], http: [80], methods: null, expires: null },
  ...{ comment: null, requestedBy: null },
  ...more,
})

const policy: Policy = {
  tenant: 'client-a',
  mode: 'report',
  rules: [
    rule('deny', '.admin.x.example', { connect: '*', http: '*' }),
    rule('allow', '.x.example', { connect: [443, 8443], http: [], expires: '2027-01-31' }),
    rule('allow', 'api.y.example', { connect: [], http: [80, 8080], methods: ['GET', 'HEAD'] }),
    rule('allow', '2001:db8::1'),
  ],
}

const text = [
  'kapsule-egress-policy\t1',
  'tenant\tclient-a',
  'mode\treport',
  'deny\t.admin.x.example\t*\t*\t*\t-\tdeny:.admin.x.example',
  'allow\t.x.example\t443,8443\t-\t*\t2027-01-31\tallow:.x.example',
  'allow\tapi.y.example\t-\t80,8080\tGET,HEAD\t-\tallow:api.y.example',
  'allow\t2001:db8::1\t443\t80\t*\t-\tallow:2001:db8::1',
  'end\t4',
  '',
].join('\n')

test('a policy as text', () => assert.is(policyText(policy), text))
test('and back', () => assert.equal(readPolicy(text), policy))
test('a policy without rules', () => {
  const empty: Policy = { tenant: 'a', mode: 'enforce', rules: [] }
  assert.equal(readPolicy(policyText(empty)), empty)
})

test('comments stay in the inventory', () => {
  const said = { ...policy, rules: policy.rules.map(it => ({ ...it, comment: 'why\tnot\n', requestedBy: 'ann' })) }
  assert.is(policyText(said), text)
})

const lines = text.split('\n')
const broken: [when: string, text: string, says: RegExp][] = [
  ['empty', '', /:1 /],
  ['cut in a line', text.slice(0, -3), /:8 /],
  ['cut between lines', `${lines.slice(0, 5).join('\n')}\n`, /:5 /],
  ['a rule is missing', [...lines.slice(0, 4), ...lines.slice(5)].join('\n'), /:7 /],
  ['a newer format', text.replace('policy\t1', 'policy\t2'), /:1 /],
  ['more after the end', `${text}allow\n`, /:9 /],
  ['a rule twice', text.replace('end\t4', `${lines[3]}\nend\t5`), /:8 /],
  ['another effect', text.replace('deny\t', 'refuse\t'), /:4 /],
  ['a field too many', text.replace('443,8443', '443\t8443'), /:5 /],
  ['a port too high', text.replace('8443', '65536'), /:5 /],
  ['port 0', text.replace('8443', '0'), /:5 /],
  ['no ports', text.replace('443,8443', ''), /:5 /],
  ['another method', text.replace('GET,HEAD', 'GET,TRACE'), /:6 /],
  ['a date that is none', text.replace('2027-01-31', 'tomorrow'), /:5 /],
  ['another mode', text.replace('mode\treport', 'mode\toff'), /:3 /],
  ['carriage returns', text.replaceAll('\n', '\r\n'), /:/],
]
for (const [when, broke, says] of broken)
  test(`refused: ${when}`, () => {
    assert.is.not(broke, text)
    assert.throws(
      () => readPolicy(broke, 'x.policy'),
      (it: unknown) => it instanceof Problem && says.test(it.message),
    )
  })

test('denials first, then by reversed labels, a name before what is below it', () => {
  const names = ['b.example', '.a.example', 'a.example', 'x.a.example', 'a.test', '2001:db8::1']
  const rules = [...names.map(it => rule('allow', it)), rule('deny', 'z.test')]
  assert.equal(
    rules.toSorted(byName).map(it => it.id),
    [
      ...['deny:z.test', 'allow:2001:db8::1', 'allow:a.example', 'allow:.a.example', 'allow:x.a.example'],
      ...['allow:b.example', 'allow:a.test'],
    ],
  )
})
