import * as assert from 'uvu/assert'
import { createSsh } from '../../../src/hosts/ssh.ts'
import type { CommandTask } from '../../../src/hosts/tasks/command.ts'
import { enough, type GuardedHost, guardedHost, seconds } from '../../support/guarded-host.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../../support/until.ts'

const { test, before, after } = suite('a command that locks us out')

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 8 })
let host: GuardedHost

before(async () => {
  host = await guardedHost(17, ssh)
  // Rules of others, by each way there is to write them.
  host.sh(`iptables -t nat -A PREROUTING -p tcp --dport 7 -m addrtype --dst-type LOCAL -j REDIRECT --to-ports 9
iptables -N theirs; iptables -A theirs -s 198.51.100.0/24 -j DROP; iptables -I INPUT -j theirs
iptables-legacy -A INPUT -s 203.0.113.8 -j DROP
nft -f - <<'NFT'
table inet others {
  set known { type ipv4_addr; flags interval; elements = { 198.51.100.0/25, 203.0.113.7 } }
  chain in { type filter hook input priority -5; ip saddr @known tcp dport { 80, 443 } log prefix "theirs" drop; }
}
NFT`)
})
after(async () => {
  await ssh.close()
  await host?.down()
})

const command = (run: string, guard: CommandTask['guard'], confirmSeconds = seconds): CommandTask => ({
  ...{ task: 'command', name: 'c', run, unless: 'false', confirmSeconds },
  ...(guard && { guard }),
})
// Without counters, and in what order tables and chains were made does not matter: that of rules in a chain does.
const picture = () =>
  host
    .picture()
    .split('\n')
    .sort((a, b) => Number(/^-N/.test(b)) - Number(/^-N/.test(a)) || (/^-N/.test(a) ? a.localeCompare(b) : 0))
    .join('\n') +
  host.sh(`nft list tables | sort; nft -s list table inet others
iptables-legacy-save | grep -e '^-A' -e ' DROP ' || :; iptables -t nat -S`)

for (const { when, run, guard } of [
  { when: 'a rule of iptables', run: 'iptables -I INPUT -p tcp --dport 22 -j DROP', guard: 'firewall' },
  {
    when: 'all of iptables gone but a policy',
    run: 'iptables -F; iptables -t nat -F; iptables -P INPUT DROP',
    guard: 'firewall',
  },
  {
    when: 'the other iptables',
    run: 'iptables-legacy -N mine; iptables-legacy -P INPUT DROP; iptables-legacy -A INPUT -j mine; iptables-legacy -t mangle -P INPUT DROP',
    guard: ['firewall'],
  },
  {
    when: 'a table of nft, and those of others gone',
    run: `nft flush ruleset
nft 'add table inet mine { chain in { type filter hook input priority 0; policy drop; }; }'`,
    guard: 'firewall',
  },
  { when: 'ufw without a rule for us', run: 'yes | ufw reset; ufw --force enable', guard: 'ufw' },
  {
    when: 'firewall, network and sshd at once',
    run: `nft add table ip mine
ip rule add pref 7 to 192.0.2.128/25 prohibit
printf 'Port 2222\\n' >>/etc/ssh/sshd_config; kill -HUP "$(cat /run/sshd.pid)"`,
    guard: ['firewall', 'network', 'sshd'],
  },
] as { when: string; run: string; guard: CommandTask['guard'] }[])
  test(`${when} is taken back in time, to the letter`, async () => {
    const was = picture()
    const refused = host.refuses([command(run, guard)])
    assert.ok(await until(async () => host.ready() && !(await host.letsIn()), 60), 'it really locks us out')
    assert.ok(await until(host.letsIn, 60), 'and lets us in again')
    const { message, why } = await refused
    assert.match(message, /failed; the host is as it was before/)
    assert.match(why, /no new login confirmed the change/)
    assert.is(picture(), was)
    assert.is(host.armed(), false)
  })

test('without a guard it is refused before the host hears of it', async () => {
  const was = picture()
  const { message, why, exit } = await host.refuses([command('iptables -I INPUT -j DROP', undefined)])
  assert.is(exit, 2)
  assert.match(message, /could lock us out/)
  assert.match(why, /iptables -I INPUT -j DROP \(firewall\)/)
  assert.is(picture(), was)
})

test('one that leaves us in is confirmed by a new login, and stays', async () => {
  const good = 'iptables -I INPUT -s 203.0.113.0/24 -p tcp --dport 22 -j DROP'
  await host.apply([{ ...command(good, 'firewall', enough), unless: 'iptables -S INPUT | grep -q 203.0.113.0' }])
  assert.match(host.sh('iptables -S INPUT'), /-s 203\.0\.113\.0\/24/)
  assert.is(host.armed(), false)
})
