import * as assert from 'uvu/assert'
import { hostPlay } from '../../src/hosts/play.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import type { UfwRule } from '../../src/hosts/tasks/ufw-rules.ts'
import type { UfwTask } from '../../src/hosts/tasks/ufw-task.ts'
import { type GuardedHost, guardedHost } from '../support/guarded-host.ts'
import { quiet } from '../support/plays.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite("ufw's words on a real host")
const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 20 })
let host: GuardedHost

before(async () => {
  host = await guardedHost(16, ssh)
})
after(async () => {
  await ssh.close()
  await host?.down()
})

const rule = (from: string, more: Partial<UfwRule> = {}): UfwRule => ({
  from,
  port: 22,
  proto: 'tcp',
  comment: 'ssh',
  action: 'allow',
  ...more,
})
const us = rule('192.0.2.128/25')
const task = (rules: UfwRule[], more: Partial<UfwTask> = {}): UfwTask => ({
  task: 'ufw',
  rules: [us, ...rules],
  defaults: { incoming: 'deny', outgoing: 'allow', routed: 'deny' },
  enabled: true,
  confirmSeconds: 60,
  ...more,
})
const every = [
  rule('any', { port: '8000:8100', comment: 'range' }),
  rule('10.1.2.3', { port: 53, proto: 'udp', comment: 'dns, udp' }),
  rule('fd00:1::/64', { port: 53, on: 'eth0', comment: 'by one interface' }),
  rule('any', { port: '9000:9001', on: 'eth0', comment: 'both' }),
  rule('10.9.0.0/16', { port: 2222, action: 'limit', comment: 'slowly' }),
]
const refuses = [
  rule('10.0.0.0/9', { port: 80, action: 'deny', comment: 'not these' }),
  rule('10.0.0.0/8', { port: 80, comment: 'but those' }),
  rule('any', { port: 80, action: 'reject', comment: 'nor others' }),
]

test('every word is written, found again in file and kernel, and taken away when it is not wanted any more', async () => {
  const first = await host.apply([task([])])
  await host.apply([task(every, { logging: 'medium' })])
  assert.is(await host.differs([task(every, { logging: 'medium' })]), null)
  assert.match(host.sh('ufw status verbose'), /^Logging: on \(medium\)$/m)
  assert.match(host.sh('iptables -S ufw-user-input'), /dports 8000:8100 -j ACCEPT/)
  assert.match(host.sh('ip6tables -S ufw6-user-input'), /-i eth0 .*--dport 53 -j ACCEPT/)
  await host.apply([task([], { logging: 'low' })])
  assert.equal((await host.look([task([])])).states, first.states)
})

test('rules that say different things keep their order', async () => {
  await host.apply([task(refuses)])
  assert.is(await host.differs([task(refuses)]), null)
  // The deny goes behind the allow, where it says nothing.
  host.sh(`ufw --force delete deny proto tcp from 10.0.0.0/9 to any port 80
ufw deny proto tcp from 10.0.0.0/9 to any port 80 comment 'kapsule-egress: not these'`)
  assert.match((await host.differs([task(refuses)]))?.details?.[0]?.diff ?? '', /^! v4: our rules are in another order/)
  await host.apply([task(refuses)])
  assert.is(await host.differs([task(refuses)]), null)
  host.sh('ufw --force delete allow proto tcp from 10.0.0.0/8 to any port 80')
  await host.apply([task(refuses)])
  assert.is(await host.differs([task(refuses)]), null)
  const seen = host
    .sh('ufw show added')
    .split('\n')
    .filter(it => /\b80\b/.test(it))
  assert.match(seen.join('\n'), /^ufw deny .*\nufw allow .*\nufw reject /)
})

test('undo gives the order back, too', async () => {
  const was = await host.look([task(refuses)])
  const other = [refuses[2]!, refuses[1]!]
  const now = await host.apply([task(other)])
  await hostPlay.undo!(host.want([task(other)]), { ssh }, was, now, quiet)
  assert.is(await host.differs([task(refuses)]), null)
})

test('rules of others are left, and told when there is something to tell', async () => {
  host.sh(`ufw allow proto tcp from any to any port 9 comment 'of another team'; ufw allow out 25/tcp`)
  assert.is(await host.differs([task(refuses)]), null)
  const diff = (await host.differs([task(every)]))?.details?.[0]?.diff ?? ''
  assert.match(diff, /^= v4 allow tcp 9 any {2}# not ours, left: of another team$/m)
  assert.match(diff, /^= allow tcp 25 .* out {2}# not ours, left$/m)
  await host.apply([task(every)])
  assert.match(host.sh('ufw status'), /of another team/)
})

test('undo from the journal puts ours between those of others again, and leaves those alone', async () => {
  host.sh('ufw --force reset; rm -f /etc/ufw/*.2*; ufw allow 22/tcp; ufw --force enable')
  await host.apply([task(refuses)])
  // Of each family one at the beginning, one in the middle and one in forms we do not read; a comment of theirs on ours.
  host.sh(`ufw insert 1 deny proto tcp from 198.51.100.8 to any port 80 comment 'of another team'
ufw insert 4 allow 7777
ufw insert 3 allow out 25/tcp
ufw allow proto tcp from fd00:9::/64 to any port 9
ufw allow proto tcp from any to any port 443 comment 'mine, not theirs'`)
  const rules = () =>
    host.sh(
      'grep -h tuple /etc/ufw/user.rules /etc/ufw/user6.rules; iptables -S ufw-user-input; ip6tables -S ufw6-user-input',
    )
  const there = rules()
  const was = await host.look([task(refuses)])
  const other = [refuses[2]!, rule('any', { port: 443, comment: 'ours now' }), refuses[1]!, rule('10.7.0.0/16')]
  const now = await host.apply([task(other)])
  assert.is.not(rules(), there)
  for (const time of ['first', 'second']) {
    await hostPlay.undo!(host.want([task(other)]), { ssh }, was, now, quiet)
    assert.is(rules(), there, `the ${time} undo`)
  }
  // What others did since stays so.
  await host.apply([task(other)])
  host.sh(`ufw --force delete deny proto tcp from 198.51.100.8 to any port 80; ufw allow 5/tcp`)
  await hostPlay.undo!(host.want([task(other)]), { ssh }, was, now, quiet)
  const left = there.split('\n').filter(it => /tuple/.test(it) && !/198\.51\.100\.8/.test(it))
  assert.equal(
    rules()
      .split('\n')
      .filter(it => /tuple/.test(it) && !/ tcp 5 /.test(it)),
    left,
  )
})
