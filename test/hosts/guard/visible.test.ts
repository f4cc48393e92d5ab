import * as assert from 'uvu/assert'
import type { Problem } from '../../../src/engine/problem.ts'
import { visibleCalls } from '../../../src/hosts/guard/visible.ts'
import { guardZone, guardZones, type Zone } from '../../../src/hosts/guard/zones.ts'
import { kindOf, type Task } from '../../../src/hosts/tasks/all.ts'
import { suite } from '../../support/suite.ts'

const { test } = suite('what a command visibly calls')

for (const [run, ...zones] of [
  ['iptables -P INPUT DROP', 'firewall'],
  ['/usr/sbin/ip6tables-legacy -F', 'firewall'],
  ['iptables -t nat -A POSTROUTING -j MASQUERADE', 'firewall'],
  ['iptables -S; iptables -nvL INPUT; iptables -C INPUT -j ACCEPT'],
  ['iptables-save >/root/rules'],
  ['iptables-restore </root/rules', 'firewall'],
  ["sh -c 'nft flush ruleset'", 'firewall'],
  ['nft -f /etc/x.nft', 'firewall'],
  ['nft list ruleset | grep -q x; nft -c -f /etc/x.nft'],
  ['echo y | ufw enable', 'ufw'],
  ['ufw --force reset', 'ufw'],
  ['ufw status verbose; apt-get install -y ufw'],
  ['firewall-cmd --permanent --add-port=80/tcp && firewall-cmd --reload', 'firewalld'],
  ['firewall-cmd --state; firewall-cmd --list-all'],
  ['ip route add 10.0.0.0/8 via 192.0.2.1', 'network'],
  ['ip -4 -n blue r del default', 'network'],
  ['timeout 5 ip \\\n  addr flush dev eth0', 'network'],
  ['if ! ip link set eth0 mtu 1400; then exit 1; fi', 'network'],
  ['ip rule add pref 7 to 192.0.2.0/24 prohibit', 'network'],
  ['ip -batch /root/x', 'network'],
  ['ip route; ip -o addr show; ip route get 1.1.1.1; ip -6 a; x=$(ip r show default)'],
  ['netplan apply', 'network'],
  ['netplan generate; netplan get'],
  ['nmcli con up eth0', 'network'],
  ['ifdown eth0; ifup eth0', 'network'],
  ['systemctl restart ssh', 'sshd'],
  ['systemctl disable --now sshd.service', 'sshd'],
  ['systemctl is-active ssh; systemctl status networking; systemctl restart squid ssh-agent'],
  ['systemctl restart systemd-networkd', 'network'],
  ['systemctl stop nftables', 'firewall'],
  ['systemctl enable ssh'],
  ['service ssh stop', 'sshd'],
  ['/etc/init.d/networking restart', 'network'],
  ['service ssh status'],
  ['pkill -x sshd', 'sshd'],
  ['ufw allow 22; systemctl reload ssh; ip link set eth0 down', 'ufw', 'sshd', 'network'],
  ['# iptables -F\ntouch /x # netplan apply'],
  ['cat /etc/ufw/user.rules; ls /etc/iptables; grep -r iptables /etc/x || echo ip'],
  ['usermod -a -G proxy syslog'],
  ['echo "a # b"; ip link set eth0 down', 'network'],
  ["sed -i 's/^ #Port/Port/' /etc/x; systemctl restart ssh  # it's read again", 'sshd'],
  ['touch /x # "quoted; ip link set eth0 down'],
  ['command ip link set eth0 down', 'network'],
  ['command -v iptables && command -V ip'],
  ['sysctl -w net.ipv4.conf.all.rp_filter=1', 'network'],
  ['sysctl -q net/ipv6/conf/all/disable_ipv6=1', 'network'],
  ['sysctl -w vm.swappiness=1 net.core.somaxconn=9; sysctl net.ipv4.ip_forward; sysctl -a'],
  ['echo 0 > /proc/sys/net/ipv4/ip_forward', 'network'],
  ['echo 9 >/proc/sys/net/core/somaxconn; cat /proc/sys/net/ipv4/ip_forward 2>/dev/null'],
  ['echo Port 2222 | sudo tee -a /etc/ssh/sshd_config >/dev/null', 'sshd'],
  ["printf 'Port 2222\\n' >>/etc/ssh/sshd_config.d/x.conf", 'sshd'],
  ["sed -i 's/a/b/' /etc/ssh/sshd_config", 'sshd'],
  ["sed -n 's/a/b/p' /etc/ssh/sshd_config; cp -a /etc/ssh /root/ssh.before; cat </etc/sudoers"],
  ['cp /root/x /etc/sudoers.d/ops', 'login'],
  ['install -m 600 /dev/null /root/.ssh/authorized_keys', 'login'],
  ['rm -rf "$HOME/.ssh"', 'login'],
  ['mv /etc/netplan/a.yaml /root', 'network'],
  ['chmod 777 /root', 'login'],
  ['chmod -R go+w ~/', 'login'],
  ['chown -R x:x /home/ops/', 'login'],
  ['install -d -m 0777 /home/ops', 'login'],
  ['chmod 750 /home/ops/data; chown x /srv/y; cp x /root; rm -rf /root/x'],
  ['truncate -s 0 ~/.bashrc', 'login'],
  ['reboot', null],
  ['sudo -n /sbin/shutdown -r +1', null],
  ['if true; then systemctl reboot; fi', null],
  ['shutdown -c; grep reboot /var/log/x; test -e /run/reboot; echo poweroff; systemctl status reboot.target'],
] as [string, ...(Zone | null)[]][])
  test(`${run.replaceAll('\n', ' ')}: ${zones.map(it => it ?? 'down').join(', ') || 'nothing'}`, () =>
    assert.equal([...new Set(visibleCalls(run).map(it => it.zone))], zones))

const command = (more: object): Task => ({
  task: 'command',
  name: 'c',
  run: 'ip link set eth0 mtu 1400; ufw reload',
  unless: 'false',
  ...more,
})

test('a command that is not guarded against what it calls is refused before anything is sent', () => {
  for (const [more, missing] of [
    [{}, "guard: ['network', 'ufw']"],
    [{ guard: 'network' }, "guard: ['network', 'ufw']"],
    [{ guard: ['sshd', 'ufw'] }, "guard: ['sshd', 'ufw', 'network']"],
    [{ run: 'touch /x', undo: 'nft flush ruleset' }, "guard: ['firewall']"],
  ] as const) {
    const task = command(more)
    assert.throws(
      () => kindOf(task).look(task),
      (it: Problem) => it.exit === 2 && it.next?.includes(missing),
    )
  }
  for (const guard of [['network', 'ufw'], ['firewall', 'network'], []])
    assert.ok(kindOf(command({ guard })).look(command({ guard })))
})

test('a command that takes the host down is refused, whatever guards it', () => {
  for (const guard of [undefined, 'network'] as const) {
    const task = command({ run: 'reboot', ...(guard && { guard }) })
    assert.throws(
      () => kindOf(task).look(task),
      (it: Problem) => it.exit === 2 && /takes the host down/.test(it.message),
    )
  }
  assert.ok(kindOf(command({ run: 'reboot', guard: [] })).look(command({ run: 'reboot', guard: [] })))
})

test('a guard that there is not is told, and those that there are', () => {
  const task = command({ guard: 'nonsense' })
  assert.throws(
    () => kindOf(task).look(task),
    (it: Problem) => it.exit === 2 && /there is not: "nonsense"/.test(it.message) && /ufw, firewalld/.test(it.why),
  )
})

test('several zones keep what each of them keeps', () => {
  const task = command({ guard: ['firewall', 'network', 'sshd'], confirmSeconds: 7 })
  const guard = kindOf(task).guard?.(task)
  assert.equal(guard, guardZones(['firewall', 'network', 'sshd'], 7))
  for (const zone of ['firewall', 'network', 'sshd'] as const) {
    const one = guardZone(zone, 7)
    for (const it of one.keep) assert.ok(guard?.keep.includes(it))
    assert.ok(guard?.save?.includes(one.save!) && guard.back?.includes(one.back!))
  }
  assert.is(guard?.inForce, undefined)
  assert.is(kindOf(command({ guard: [] })).guard?.(command({ guard: [] })), null)
})
