import * as assert from 'uvu/assert'
import { shipTasks } from '../../src/hosts/ship.ts'
import type { Task } from '../../src/hosts/tasks/all.ts'
import { audit } from '../../src/inventory/schema-audit.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('shipping of the audit log')

const log = '/var/log/squid/audit.log'
const read = (it: unknown) => shipTasks(audit.parse(it).ship, log)
const fileOf = (tasks: Task[], part: string) => {
  const file = tasks.find(it => it.task === 'file' && it.path.includes(part))
  if (file?.task !== 'file') throw new Error(`no ${part}`)
  return file
}

test('nothing is shipped unless it is asked for, and 90 days are kept', () => {
  assert.equal(read(undefined), { tasks: [], handlers: {} })
  assert.is(audit.parse(undefined).keepDays, 90)
})

test('rsyslog sends to a checked name', () => {
  const { tasks, handlers } = read({ ship: { rsyslog: { host: 'logs.example.com' } } })
  const { content, check } = fileOf(tasks, 'rsyslog')
  for (const it of [
    ...['target="logs.example.com" port="6514"', 'StreamDriverAuthMode="x509/name"', `File="${log}"`],
    ...['StreamDriverPermittedPeers="logs.example.com"', 'CAFile="/etc/ssl/certs/ca-certificates.crt"'],
  ])
    assert.match(content, it)
  assert.not.match(content, 'KeyFile')
  assert.match(check!, 'rsyslogd -N1')
  assert.equal(Object.keys(handlers), ['restart rsyslog'])
})

test('Fluent Bit sends to a checked name, with a certificate of its own', () => {
  const own = { certificate: '/etc/ssl/proxy.pem', key: '/etc/ssl/private/proxy.key' }
  const { tasks } = read({ ship: { fluentBit: { host: '192.0.2.9', port: 24000, peer: 'logs.example.com', ...own } } })
  const { content, check } = fileOf(tasks, 'fluent-bit')
  for (const [name, value] of [
    ...[
      ['Host', '192.0.2.9'],
      ['Port', '24000'],
      ['tls', 'on'],
      ['tls.verify', 'on'],
    ],
    ...[
      ['tls.vhost', 'logs.example.com'],
      ['tls.crt_file', own.certificate],
      ['tls.key_file', own.key],
      ['Path', log],
    ],
  ])
    assert.match(content, new RegExp(`^ {4}${name} +${value}$`, 'm'))
  assert.match(check!, '--dry-run')
})

for (const { when, it } of [
  { when: 'two ways at once', it: { ship: { rsyslog: { host: 'a.example' }, fluentBit: { host: 'a.example' } } } },
  { when: 'no way', it: { ship: {} } },
  { when: 'a host that would end its quotes', it: { ship: { rsyslog: { host: 'a" port="1' } } } },
  { when: 'a host with a line break', it: { ship: { fluentBit: { host: 'a\n[OUTPUT]' } } } },
  { when: 'a path with a blank', it: { ship: { rsyslog: { host: 'a.example', ca: '/etc/x $(id)' } } } },
  { when: 'a key without a certificate', it: { ship: { rsyslog: { host: 'a.example', key: '/etc/x.key' } } } },
  { when: 'no days', it: { keepDays: 0 } },
])
  test(`${when} is refused`, () => assert.is(audit.safeParse(it).success, false))
