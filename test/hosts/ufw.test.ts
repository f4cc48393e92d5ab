import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { ufwTask as proxyWallsOf } from '../../src/hosts/squid.ts'
import { ufwTask } from '../../src/hosts/tasks/ufw.ts'
import { linesOf, wordsOf } from '../../src/hosts/tasks/ufw-outgoing.ts'
import { commentOf, keysOf, parseKernel, parseTuple, spec } from '../../src/hosts/tasks/ufw-rules.ts'
import type { UfwTask } from '../../src/hosts/tasks/ufw-task.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('ufw')

const rule = (from: string, port = 22, comment = 'ssh') => ({
  from,
  port,
  proto: 'tcp' as const,
  comment,
  action: 'allow' as const,
})
const task: UfwTask = {
  task: 'ufw',
  rules: [rule('203.0.113.0/24'), rule('fd00::/8')],
  defaults: { incoming: 'deny', outgoing: 'allow', routed: 'deny' },
  enabled: true,
}
const hex = Buffer.from('kapsule-egress: ssh').toString('hex')
const chains = (n: string, it: string) =>
  ['input', 'output', 'forward']
    .flatMap(way => [
      `-P ${way.toUpperCase()} ${way === 'output' ? 'ACCEPT' : 'DROP'}`,
      ...['before-logging', 'before', 'after', 'after-logging', 'reject', 'track'].map(
        stage => `-A ${way.toUpperCase()} -j ${it}-${stage}-${way}`,
      ),
      `-A ${it}-before-${way} -j ${it}-user-${way}`,
    ])
    .map(line => `f${n} ${line}\n`)
    .join('')
const good = `installed yes
enabled yes
ipv6 yes
INPUT DROP
OUTPUT ACCEPT
FORWARD DROP
t4 ### tuple ### allow tcp 22 0.0.0.0/0 any 203.0.113.0/24 in comment=${hex}
t6 ### tuple ### allow tcp 22 ::/0 any fd00::/8 in comment=${hex}
k4 -A ufw-user-input -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j ACCEPT
k6 -A ufw6-user-input -s fd00::/8 -p tcp -m tcp --dport 22 -j ACCEPT
${chains('4', 'ufw')}${chains('6', 'ufw6')}`

const table: { when: string; output: string; lines: (string | RegExp)[] }[] = [
  { when: 'as wanted', output: good, lines: [] },
  {
    when: 'rules of others',
    output: `${good}t4 ### tuple ### allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in\nk4 -A ufw-user-input -p tcp -m tcp --dport 80 -j ACCEPT\n`,
    lines: [],
  },
  {
    when: 'others in forms we do not read',
    output: `${good}t4 ### tuple ### route:allow any any 0.0.0.0/0 any 0.0.0.0/0 in_eth0\n`,
    lines: [],
  },
  {
    when: 'a rule is gone',
    output: good.replace(/^[tk]4.*\n/gm, ''),
    lines: ['+ v4 allow tcp 22 203.0.113.0/24  # kapsule-egress: ssh'],
  },
  {
    when: 'an old rule of ours',
    output: `${good}t4 ### tuple ### allow tcp 9 0.0.0.0/0 any 10.0.0.1 in comment=${hex}\nk4 -A ufw-user-input -s 10.0.0.1/32 -p tcp -m tcp --dport 9 -j ACCEPT\n`,
    lines: ['- v4 allow tcp 9 10.0.0.1/32  # kapsule-egress: ssh'],
  },
  {
    when: 'another comment',
    output: good.replace(`fd00::/8 in comment=${hex}`, 'fd00::/8 in'),
    lines: [/^~ v6 .*no comment/, '= v6 allow tcp 22 fd00::/8  # not ours, left'],
  },
  {
    when: 'not in the kernel',
    output: good.replace(/^k6.*\n/m, ''),
    lines: ['! v6 allow tcp 22 fd00::/8: not in force in the kernel'],
  },
  {
    when: 'in the kernel only',
    output: `${good}k4 -A ufw-user-input -p tcp -m tcp --dport 3128 -j ACCEPT\n`,
    lines: ['! v4 allow tcp 3128 any: in the kernel only'],
  },
  { when: 'chains flushed', output: good.replace(/^f4 -A.*\n/gm, ''), lines: [/^! v4: ufw's chains/] },
  {
    when: 'kernel default open',
    output: good.replace('f6 -P INPUT DROP', 'f6 -P INPUT ACCEPT'),
    lines: [/^! v6: .*incoming is ACCEPT/],
  },
  {
    when: 'another default',
    output: good.replace('FORWARD DROP', 'FORWARD ACCEPT'),
    lines: ['default routed: allow -> deny'],
  },
  {
    when: 'off',
    output: good.replace('enabled yes', 'enabled no').replace(/^[kf][46].*\n/gm, ''),
    lines: ['enabled: no -> yes'],
  },
  { when: 'nobody confirmed', output: `${good}armed yes\n`, lines: [/not confirmed/] },
]

for (const { when, output, lines } of table)
  test(when, () => {
    const found = ufwTask.diff(task, ufwTask.parse(output))?.diff?.split('\n') ?? []
    assert.is(found.length, lines.length, found.join('\n'))
    for (const [n, line] of lines.entries())
      if (typeof line === 'string') assert.is(found[n], line)
      else assert.match(found[n]!, line)
  })

test('not there at all: everything is to do', () => {
  const state = ufwTask.parse('')
  assert.is(ufwTask.diff(task, state)?.action, 'create')
  assert.match(ufwTask.change(task, state), /ufw --force enable$/)
})

test('the rule that lets us in is added before the firewall goes on, and old rules go after', () => {
  const off = ufwTask.parse(
    good.replace('enabled yes', 'enabled no').replace(/^[tkf]4.*\n/gm, '') +
      `t4 ### tuple ### allow tcp 9 0.0.0.0/0 any 10.0.0.1 in comment=${hex}\n`,
  )
  const script = ufwTask.change(task, off)
  const at = (text: string) => assert.ok(script.includes(text), text) ?? script.indexOf(text)
  assert.ok(at('from 203.0.113.0/24') < at('--force delete'))
  assert.ok(at('from 203.0.113.0/24') < at('--force enable'))
})

test('any is both families where IPv6 is on', () => {
  assert.equal(keysOf(rule('any'), true), ['v4 allow tcp 22 any', 'v6 allow tcp 22 any'])
  assert.equal(keysOf(rule('any'), false), ['v4 allow tcp 22 any'])
})

test('host bits and single addresses have one form', () => {
  assert.equal(keysOf(rule('172.16.28.5/22'), false), ['v4 allow tcp 22 172.16.28.0/22'])
  assert.equal(keysOf(rule('172.16.28.5'), false), ['v4 allow tcp 22 172.16.28.5/32'])
  assert.equal(
    parseTuple('v4', '### tuple ### allow tcp 22 0.0.0.0/0 any 172.16.28.5 in')?.[0]?.key,
    'v4 allow tcp 22 172.16.28.5/32',
  )
  assert.is(
    parseKernel('v4', '-A ufw-user-input -s 172.16.28.5/32 -p tcp -m tcp --dport 22 -j ACCEPT'),
    'v4 allow tcp 22 172.16.28.5/32',
  )
})

for (const [rule, opens] of [
  ['-A INPUT -j ACCEPT', true],
  ['-A INPUT -s 10.0.0.0/8 -j ACCEPT', true],
  ['-A INPUT -i tailscale0 -j ACCEPT', true],
  ['-A INPUT ! -i lo -j ACCEPT', true],
  ['-A INPUT ! -p icmp -j ACCEPT', true],
  ['-A INPUT -p tcp -m tcp ! --dport 80 -j ACCEPT', true],
  ['-A INPUT -p tcp -m multiport --dports 20:25,80 -j ACCEPT', true],
  ['-A INPUT -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT', true],
  ['-A INPUT -m conntrack ! --ctstate INVALID -j ACCEPT', true],
  ['-A INPUT -m comment --comment "-p icmp -j DROP" -j ACCEPT', true],
  ['-A INPUT -j NFQUEUE --queue-num 1', true],
  ['-A INPUT -j ufw-made-up', true],
  ['-A INPUT -g theirs', true],
  ['-A INPUT -p tcp -m tcp --dport 23 -j ACCEPT', false],
  ['-A INPUT -p udp -j ACCEPT', false],
  ['-A INPUT -i lo -j ACCEPT', false],
  ['-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT', false],
  ['-A INPUT -j LOG --log-prefix "a -j ACCEPT"', false],
  ['-A INPUT -j refusing', false],
  ['-A OUTPUT -j ACCEPT', false],
  ['-A FORWARD -i docker0 -j ACCEPT', false],
  ['-A FORWARD -j ACCEPT', true],
] as const)
  test(`${rule} ${opens ? 'is refused' : 'is left'}`, () => {
    const more = [
      '-A theirs -s 10.0.0.0/8 -j deeper',
      '-A deeper -p tcp -j ACCEPT',
      '-A refusing -j DROP',
      '-A refusing -j ACCEPT',
    ]
    const state = ufwTask.parse(good + [rule, ...more].map(it => `f4 ${it}\n`).join(''))
    const told = ufwTask.diff(task, state)?.diff ?? ''
    assert.is(told, opens ? `! v4 ${rule}: not ufw's, and lets traffic past it` : '')
    if (opens)
      assert.throws(
        () => ufwTask.change(task, state),
        (it: unknown) => it instanceof Problem && it.next.includes(`iptables ${rule.replace('-A', '-D')}`),
      )
    else ufwTask.change(task, state)
  })

test('a chain of ufw that its own files open is left, one that is open in the kernel alone is drift', () => {
  const line = '-A ufw-before-input -j ACCEPT\n'
  assert.is(ufwTask.diff(task, ufwTask.parse(`${good}f4 ${line}a ${line}`)), null)
  assert.match(ufwTask.diff(task, ufwTask.parse(`${good}f4 ${line}`))?.diff ?? '', /in the kernel only$/)
})

for (const bad of ["it's", '$(x)', 'a\nb', '`x`', '"'])
  test(`the comment ${JSON.stringify(bad)} is refused`, () =>
    assert.throws(
      () => commentOf(rule('any', 22, bad)),
      (it: unknown) => it instanceof Problem,
    ))

for (const bad of ['pods', '1.2.3', '1.2.3.4; reboot', '300.1.1.1', ''])
  test(`the source ${JSON.stringify(bad)} is refused`, () =>
    assert.throws(
      () => spec(rule(bad)),
      (it: unknown) => it instanceof Problem,
    ))

const proxyWalls = proxyWallsOf({
  ssh: { allow: ['203.0.113.0/24'], port: 22 },
  proxy: { from: ['172.16.28.0/22'], ports: [3128] },
  metrics: { from: ['203.0.113.7/32', 'fd00:7::/64'], ports: [9100] },
  outgoing: { nameservers: ['10.9.9.9'], inner: ['172.16.28.0/22', '203.0.113.128/25'] },
})

test('the proxy opens its metrics to the monitoring alone, and every rule says what it is for', () => {
  assert.equal(
    proxyWalls.rules.map(it => `${it.comment} ${it.from} ${it.port}`),
    ['ssh 203.0.113.0/24 22', 'proxy 172.16.28.0/22 3128', 'metrics 203.0.113.7/32 9100', 'metrics fd00:7::/64 9100'],
  )
  assert.throws(() => commentOf({ ...proxyWalls.rules[0]!, comment: '' }), /cannot be written/)
  const lines = [...linesOf(proxyWalls.outgoing, 'v4'), ...linesOf(proxyWalls.outgoing, 'v6')]
  assert.ok(lines.every(it => it.includes('--comment "kapsule-egress: proxy ')))
})

test('name servers come before what is refused, in the family that they are of', () => {
  const [v4, v6] = [linesOf(proxyWalls.outgoing, 'v4'), linesOf(proxyWalls.outgoing, 'v6')]
  const at = (part: string) => v4.findIndex(it => it.includes(part))
  assert.ok(at('-d 10.9.9.9/32 -p udp') > 0 && at('-d 10.9.9.9/32 -p udp') < at('-d 10.0.0.0/8'))
  assert.ok(at('-d 203.0.113.128/25') > 0)
  assert.is(
    v6.findIndex(it => it.includes('dport 53')),
    -1,
  )
})

test('a line of the file and the same as the kernel says it are one', () => {
  const [file] = linesOf({ user: 'proxy', nameservers: [], refuse: [] }, 'v4')
  const kernel =
    '-A ufw-before-output -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m owner --uid-owner proxy -m comment --comment "kapsule-egress: proxy goes on with what is open" -j ACCEPT'
  assert.is(wordsOf(file!), wordsOf(kernel))
  const refused =
    '-A ufw6-before-output -o lo -m owner --uid-owner proxy -m comment --comment "x y" -j REJECT --reject-with icmp6-port-unreachable'
  assert.is(wordsOf(refused), wordsOf(refused.replace(/ --reject-with.*/, '')))
  assert.is.not(wordsOf(refused), wordsOf(refused.replace('-o lo', '-o eth0')))
  assert.is.not(wordsOf(refused), wordsOf(refused.replace('owner proxy', 'owner root')))
})
