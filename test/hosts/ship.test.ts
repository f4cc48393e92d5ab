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
      // Without it any certificate that the CA signed would do, for whatever name.
      ['tls.verify_hostname', 'on'],
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

/** What the manual of Fluent Bit knows of the parts that we use; a key that it does not know keeps it from starting. */
const known: Record<string, string[]> = {
  SERVICE: ['storage.path'],
  'INPUT tail': ['tag', 'path', 'db', 'read_from_head', 'rotate_wait', 'storage.type'],
  'OUTPUT forward': [
    ...['match', 'host', 'port', 'require_ack_response', 'retry_limit', 'storage.total_limit_size', 'tls'],
    ...['tls.verify', 'tls.verify_hostname', 'tls.vhost', 'tls.ca_file', 'tls.crt_file', 'tls.key_file'],
  ],
}

/** Its classic form: a name in brackets, below it indented keys and values; a line with # in front is none. */
const sectionsOf = (content: string) => {
  const sections: { name: string; entries: Map<string, string> }[] = []
  for (const line of content.split('\n').filter(it => it.trim() !== '' && !it.startsWith('#'))) {
    const [, name] = /^\[([A-Z]+)\]$/.exec(line) ?? []
    const [, key = '', value = ''] = /^ {4}(\S+) +(\S+)$/.exec(line) ?? []
    if (name) sections.push({ name, entries: new Map() })
    else if (key && sections.length > 0 && !sections.at(-1)!.entries.has(key.toLowerCase()))
      sections.at(-1)!.entries.set(key.toLowerCase(), value)
    else throw new Error(`not a line of Fluent Bit: ${JSON.stringify(line)}`)
  }
  return sections.map(({ name, entries }) => {
    const plugin = entries.get('name')
    entries.delete('name')
    return { is: plugin ? `${name} ${plugin}` : name, entries }
  })
}

for (const it of [
  { host: 'logs.example.com' },
  { host: '2001:db8::9', port: 1, peer: 'a.example', ca: '/etc/x.pem', certificate: '/etc/y.pem', key: '/etc/y.key' },
])
  test(`Fluent Bit is told only what it knows: ${it.host}`, () => {
    const sections = sectionsOf(fileOf(read({ ship: { fluentBit: it } }).tasks, 'fluent-bit').content)
    assert.equal(
      sections.map(({ is }) => is),
      ['SERVICE', 'INPUT tail', 'OUTPUT forward'],
    )
    for (const { is, entries } of sections) for (const key of entries.keys()) assert.ok(known[is]!.includes(key), key)
    const [service, input, output] = sections.map(({ entries }) => entries)
    assert.is(output!.get('match'), input!.get('tag'))
    assert.is(input!.get('storage.type'), 'filesystem')
    assert.ok(input!.get('db')!.startsWith(`${service!.get('storage.path')}/`))
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
