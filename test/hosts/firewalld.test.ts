import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { type FirewalldTask, firewalldTask } from '../../src/hosts/tasks/firewalld.ts'
import { policyXml, richRules } from '../../src/hosts/tasks/firewalld-policy.ts'
import type { UfwRule } from '../../src/hosts/tasks/ufw-rules.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('firewalld')

const rule = (from: string, more: Partial<UfwRule> = {}): UfwRule => ({
  from,
  port: 22,
  proto: 'tcp',
  comment: 'ssh',
  action: 'allow',
  ...more,
})
const task: FirewalldTask = {
  task: 'firewalld',
  rules: [rule('203.0.113.9/24'), rule('any', { port: '8000:8100' })],
  defaults: { incoming: 'deny', outgoing: 'allow', routed: 'deny' },
  enabled: true,
}
const good = `installed yes
enabled yes
zone public
logging off
target DROP
policy ${Buffer.from(policyXml(task.rules)).toString('base64')}
running yes
targetInForce DROP
other services ssh
rule rule family="ipv4" source address="203.0.113.0/24" port port="22" protocol="tcp" accept
rule rule port port="8000-8100" protocol="tcp" accept
`

for (const { when, output, lines } of [
  { when: 'as wanted', output: good, lines: [] },
  {
    when: 'a rule is gone',
    output: good.replace(/^rule rule family.*\n/m, ''),
    lines: [/^\+ rule family="ipv4" source address="203/, /^= services ssh {2}# not ours/],
  },
  {
    when: 'a rule too many',
    output: `${good}rule rule port port="9" protocol="tcp" accept\n`,
    lines: [/^- .*"9"/, /^=/],
  },
  {
    when: 'another file',
    output: good.replace(/^policy .*/m, 'policy eA=='),
    lines: [/is not what is in force/, /^=/],
  },
  { when: 'another default', output: good.replace('target DROP', 'target default'), lines: [/default -> DROP/, /^=/] },
  {
    when: 'another default in force',
    output: good.replace('Force DROP', 'Force default'),
    lines: [/^! .*default/, /^=/],
  },
  { when: 'nobody confirmed', output: `${good}armed yes\n`, lines: [/not confirmed/, /^=/] },
] as { when: string; output: string; lines: RegExp[] }[])
  test(when, () => {
    const found = firewalldTask.diff(task, firewalldTask.parse(output))?.diff?.split('\n') ?? []
    assert.is(found.length, lines.length, found.join('\n'))
    for (const [n, line] of lines.entries()) assert.match(found[n]!, line)
  })

test('not running: everything is to do', () => {
  const detail = firewalldTask.diff(task, firewalldTask.parse(''))
  assert.is(detail?.action, 'create')
  assert.match(detail?.diff ?? '', /running: no -> yes/)
})

test('where rules say different things, their order is theirs', () => {
  const rules = [rule('10.0.0.0/8', { action: 'deny' }), rule('any')]
  assert.equal(richRules(rules), [
    'rule priority="-1000" family="ipv4" source address="10.0.0.0/8" port port="22" protocol="tcp" drop',
    'rule priority="-999" port port="22" protocol="tcp" accept',
  ])
})

for (const bad of [
  rule('any', { action: 'limit' }),
  rule('any', { on: 'eth0' }),
  rule('"/><x'),
  rule('any', { port: '1"' }),
])
  test(`${JSON.stringify(bad)} is refused`, () =>
    assert.throws(
      () => policyXml([bad]),
      (it: unknown) => it instanceof Problem,
    ))

test('a default that zones do not have is refused', () =>
  assert.throws(
    () => firewalldTask.diff({ ...task, defaults: { ...task.defaults, outgoing: 'deny' } }, firewalldTask.parse(good)),
    (it: unknown) => it instanceof Problem,
  ))
