import * as assert from 'uvu/assert'
import { confirmation, guarded } from '../../../src/hosts/guard/guard.ts'
import { guardPath, guardZone, zoneOfPath } from '../../../src/hosts/guard/zones.ts'
import { kindOf, type Task } from '../../../src/hosts/tasks/all.ts'
import { suite } from '../../support/suite.ts'

const { test } = suite('what could cut us off')

for (const [path, zone] of [
  ['/etc/ssh/sshd_config', 'sshd'],
  ['/etc/ssh/sshd_config.d/50-ours.conf', 'sshd'],
  ['/etc/ssh', 'sshd'],
  ['/etc/sshx/y', null],
  ['/etc/default/ufw', 'ufw'],
  ['/etc/ufw/before.rules', 'ufw'],
  ['/etc/ufwx', null],
  ['/etc/firewalld/zones/public.xml', 'firewalld'],
  ['/etc/netplan/50-cloud-init.yaml', 'network'],
  ['/etc/network/interfaces.d/eth1', 'network'],
  ['/etc/systemd/network/10-eth.network', 'network'],
  ['/etc/systemd/system/x.service', null],
  ['/root/.ssh/authorized_keys', 'login'],
  ['/home/ubuntu/.ssh', 'login'],
  ['/root/.ssh/known_hosts', null],
  ['/root/.ssh/rc', 'login'],
  ['/home/ops/.bashrc', 'login'],
  ['/srv/.bashrc', null],
  ['/etc/shadow', 'login'],
  ['/etc/environment', 'login'],
  ['/etc/sudoers.d/90-ops', 'login'],
  ['/etc/pam.d/sshd', 'login'],
  ['/etc/squid/squid.conf', null],
] as const)
  test(path, () => assert.is(zoneOfPath(path), zone))

test('a file outside what its zone keeps is kept besides', () => {
  assert.is(guardPath('/etc/squid/squid.conf'), null)
  assert.equal(guardPath('/etc/netplan/a.yaml')?.keep, guardZone('network', 1).keep)
  assert.equal(guardPath('/root/.ssh/authorized_keys')?.keep, ['/root/.ssh/authorized_keys'])
  assert.ok(guardPath('/etc/ssh/moduli')?.keep.includes('/etc/ssh/moduli'))
  assert.is(guardPath('/etc/ssh/moduli')?.check, undefined)
  assert.match(guardPath('/etc/ssh/sshd_config')?.check ?? '', /sshd -t/)
})

test('what cannot be kept is refused, and words stay words', () => {
  for (const keep of ['relative', '/a\n/b', '/', '/a/'])
    assert.throws(() => guarded(':', 'r', { seconds: 1, keep: [keep] }), /cannot keep/)
  assert.match(guarded(':', 'r', { seconds: 1.2, keep: ["/a'b"] }), /^guard_arm r 2 '\/a'\\''b' : : :$/m)
  assert.match(confirmation('a b'), /^run='a b'$/m)
})

for (const [task, guarded] of [
  [{ task: 'service', name: 'ssh' }, true],
  [{ task: 'service', name: 'sshd.service' }, true],
  [{ task: 'service', name: 'ssh.socket' }, true],
  [{ task: 'service', name: 'systemd-networkd' }, true],
  [{ task: 'service', name: 'networking' }, true],
  [{ task: 'service', name: 'nftables' }, true],
  [{ task: 'service', name: 'ufw' }, true],
  [{ task: 'service', name: 'squid' }, false],
  [{ task: 'service', name: 'ssh-agent' }, false],
  [{ task: 'sysctl', name: 'net.ipv4.ip_forward', value: '1' }, true],
  [{ task: 'sysctl', name: 'net.ipv4.conf.eth0/7.rp_filter', value: '1' }, true],
  [{ task: 'sysctl', name: 'net/ipv6/conf/all/disable_ipv6', value: '1' }, true],
  [{ task: 'sysctl', name: 'net.netfilter.nf_conntrack_max', value: '9' }, true],
  [{ task: 'sysctl', name: 'net.core.somaxconn', value: '9' }, false],
  [{ task: 'sysctl', name: 'net.ipv4.tcp_fin_timeout', value: '9' }, false],
  [{ task: 'sysctl', name: 'vm.swappiness', value: '9' }, false],
  [{ task: 'directory', name: '/root', path: '/root' }, true],
  [{ task: 'directory', name: '/home/ops', path: '/home/ops' }, true],
  [{ task: 'directory', name: '/', path: '/' }, true],
  [{ task: 'directory', name: '/usr', path: '/usr' }, true],
  [{ task: 'directory', name: '/home/ops/data', path: '/home/ops/data' }, false],
  [{ task: 'directory', name: '/srv/x', path: '/srv/x' }, false],
  [{ task: 'user', name: 'ops', home: '/srv/ops' }, true],
  [{ task: 'user', name: 'ops', groups: ['adm'] }, false],
] as const)
  test(`${task.task} ${task.name}: ${guarded ? 'guarded' : 'not guarded'}`, () => {
    const it = { running: false, enabled: false, ...task } as Task
    const guard = kindOf(it).guard?.(it) ?? null
    assert.is(guard !== null, guarded)
    assert.is(guard?.inForce, undefined)
  })
