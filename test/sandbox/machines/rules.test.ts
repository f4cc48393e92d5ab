import * as assert from 'uvu/assert'
import { tail } from '../../../src/sandbox/machines/logs.ts'
import { policyRules } from '../../../src/sandbox/machines/policy-rules.ts'
import { securityRules } from '../../../src/sandbox/machines/security-groups.ts'
import { serviceRules } from '../../../src/sandbox/machines/service-rules.ts'
import { nth } from '../../../src/sandbox/machines/world.ts'
import type { SecurityGroup } from '../../../src/sandbox/ports.ts'
import { suite } from '../../support/suite.ts'

const { test } = suite('rules of the machines')

const rule: SecurityGroup['rules'][number] = {
  direction: 'inbound',
  action: 'accept',
  protocol: 'TCP',
  ipRange: '0.0.0.0/0',
  portFrom: 22,
  portTo: null,
}

for (const { when, change, line } of [
  { when: 'one port from anywhere', change: {}, line: 'tcp dport 22 return' },
  { when: 'a range of ports', change: { portTo: 30 }, line: 'tcp dport 22-30 return' },
  { when: 'the same port twice', change: { portTo: 22 }, line: 'tcp dport 22 return' },
  { when: 'all ports', change: { portFrom: null }, line: 'meta l4proto tcp return' },
  { when: 'a source', change: { ipRange: '192.0.2.0/24' }, line: 'ip saddr 192.0.2.0/24 tcp dport 22 return' },
  { when: 'drop', change: { action: 'drop' as const }, line: 'tcp dport 22 drop' },
  { when: 'anything', change: { protocol: 'ANY' as const, portFrom: null }, line: 'return' },
  { when: 'ping', change: { protocol: 'ICMP' as const, portFrom: null }, line: 'meta l4proto icmp return' },
  { when: 'IPv6, which is not here', change: { ipRange: '::/0' }, line: 'drop' },
]) {
  test(`security group: ${when}`, () => {
    const group: SecurityGroup = { inboundDefault: 'drop', outboundDefault: 'accept', rules: [{ ...rule, ...change }] }
    const text = securityRules('203.0.113.0/24', [{ port: 'pX', group }])
    assert.is(/chain in_pX \{\n\s*(.*)\n/.exec(text)?.[1], line)
    assert.is(/chain out_pX \{\n\s*(.*)\n/.exec(text)?.[1], 'return')
  })
}

for (const { when, egress, lines } of [
  { when: 'nothing allowed', egress: [], lines: ['drop'] },
  {
    when: 'a range with holes and ports',
    egress: [
      { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'], ports: [{ protocol: 'TCP' as const, port: 80, endPort: 90 }] },
    ],
    lines: ['ip daddr 10.0.0.0/8 ip daddr != 10.1.0.0/16 tcp dport 80-90 return', 'drop'],
  },
  { when: 'everywhere, all ports', egress: [{ cidr: '0.0.0.0/0', except: [], ports: [] }], lines: ['return', 'drop'] },
]) {
  test(`policy: ${when}`, () => {
    const text = policyRules([{ podIp: '10.0.0.1', egress }])
    const chain = /chain egress_10_0_0_1 \{\n([^}]*)\}/.exec(text)?.[1] ?? ''
    assert.equal(chain.trim().split(/\n\s*/), lines)
    assert.not.match(text, /ingress_/)
  })
}

test('a Service without endpoints is refused, the resident ones are not', () => {
  const text = serviceRules([{ clusterIp: '10.32.0.5', protocol: 'TCP', port: 80, endpoints: [] }], {
    serviceCidr: '10.32.0.0/20',
    resident: ['10.32.0.10'],
  })
  assert.not.match(text, /dnat/)
  assert.match(text, /ip daddr 10\.32\.0\.0\/20 ip daddr != \{ 10\.32\.0\.10 \} reject/)
})

for (const [lines, text] of [
  [1, 'c\n'],
  [2, 'b\nc\n'],
  [9, 'a\nb\nc\n'],
  [0, ''],
] as const) {
  test(`the last ${lines} lines`, () => assert.is(tail(Buffer.from('a\nb\nc\n'), lines).toString(), text))
}
test('the last line without its end', () => assert.is(tail(Buffer.from('a\nb'), 1).toString(), 'b'))
test('empty lines count', () => assert.is(tail(Buffer.from('a\n\n\n'), 2).toString(), '\n\n'))

test('addresses of a range', () => {
  assert.is(nth('10.32.0.0/20', 10), '10.32.0.10')
  assert.is(nth('10.32.0.250/20', 10), '10.32.1.4')
})
