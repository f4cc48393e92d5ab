import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { type Facts, parseFacts } from '../../src/hosts/facts.ts'
import { settled } from '../../src/hosts/settle.ts'
import { kindOf, type Task } from '../../src/hosts/tasks/all.ts'
import { renderText } from '../../src/hosts/template.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('facts')

const rocky = `os rocky
like rhel centos fedora
version 9.4
name Rocky Linux 9.4 (Blue Onyx)
hostname proxy-1
kernel 5.14.0-427.el9.x86_64
architecture x86_64
init systemd
cores 4
memory 2031616
interface ens2 1500 up de:00:00:12:34:56
interface lo 65536 unknown 00:00:00:00:00:00
address lo 127.0.0.1/8
address ens2 172.16.28.8/22
address lo ::1/128
address ens2 2001:db8::5/64
address ens2 fe80::1/64
address ens2 203.0.113.9/32
package:squid manager dnf
package:squid name squid
package:squid status installed
package:squid version 5.5-6.el9
package:nginx manager dnf
package:nginx name nginx
service:squid running yes
service:squid enabled no
`

const noIp = `os alpine
interface eth0 1500 up aa:bb:cc:dd:ee:ff
hex6 lo 00000000000000000000000000000001 80
hex6 eth0 20010db8000000000000000000000005 40
address - 127.0.0.1/32
address - 192.0.2.2/32
address - 192.0.2.2/32
`

test('a host with ip(8)', () => {
  const facts = parseFacts(rocky, { packages: ['squid', 'nginx'], services: ['squid'] })
  assert.equal(facts, {
    distribution: 'rocky',
    like: ['rhel', 'centos', 'fedora'],
    version: '9.4',
    name: 'Rocky Linux 9.4 (Blue Onyx)',
    hostname: 'proxy-1',
    kernel: '5.14.0-427.el9.x86_64',
    architecture: 'x86_64',
    init: 'systemd',
    cores: 4,
    memoryBytes: 2031616 * 1024,
    interfaces: [
      {
        name: 'ens2',
        mac: 'de:00:00:12:34:56',
        mtu: 1500,
        up: true,
        addresses: ['172.16.28.8/22', '2001:db8::5/64', 'fe80::1/64', '203.0.113.9/32'],
      },
      { name: 'lo', mac: '00:00:00:00:00:00', mtu: 65536, up: true, addresses: ['127.0.0.1/8', '::1/128'] },
    ],
    addresses: ['172.16.28.8', '203.0.113.9', '2001:db8::5'],
    packages: { squid: '5.5-6.el9', nginx: null },
    services: { squid: { running: true, enabled: false } },
  } satisfies Facts)
})

test('a host without ip(8), and one that says nothing', () => {
  const { addresses, interfaces, like } = parseFacts(noIp, {})
  assert.equal(addresses, ['192.0.2.2', '2001:db8::5'])
  assert.equal(interfaces[0]?.addresses, ['2001:db8::5/64'])
  assert.equal(like, [])
  assert.is(parseFacts('', {}).distribution, '')
})

const seen = { states: { facts: kindOf({ task: 'facts' }).parse(rocky) } }
const rights = { mode: '0644', owner: 'root', group: 'root' }
const template: Task = { task: 'template', path: '/x', template: 't', data: { who: 'ops' }, tags: ['a'], ...rights }

test('templates read facts, and a misspelt one is a problem', () => {
  const draw = (text: string) => (path: string, data: Record<string, unknown>) => renderText(path, text, data)
  const good = draw('<%= who %> <%= facts.cores %> <%= facts.packages.squid %> <%= facts.addresses[0] %>')
  const [file] = settled([template], seen, good)
  assert.equal(file, { task: 'file', path: '/x', content: 'ops 4 5.5-6.el9 172.16.28.8', tags: ['a'], ...rights })
  assert.throws(
    () => settled([template], seen, draw('<%= facts.corse %>')),
    (it: unknown) => it instanceof Problem,
  )
  assert.throws(
    () => settled([template], { states: {} }, good),
    (it: unknown) => it instanceof Problem,
  )
})

test('a task is left out where it is not meant', () => {
  const on = (...onlyOn: string[]): Task => ({ task: 'package', name: onlyOn.join(), onlyOn })
  const left = settled([on('rocky'), on('debian'), on('fedora', 'suse'), { task: 'package', name: 'always' }], seen)
  assert.equal(
    left.map(it => 'name' in it && it.name),
    ['rocky', 'fedora,suse', 'always'],
  )
  assert.throws(
    () => settled([on('rocky')], { states: {} }),
    (it: unknown) => it instanceof Problem && it.exit === 2,
  )
})

test('what is asked about is a name', () => {
  assert.throws(() => kindOf({ task: 'facts' }).look({ task: 'facts', packages: ['a;b'] }), /cannot be asked about/)
})
