import { createHash } from 'node:crypto'
import * as assert from 'uvu/assert'
import { hostPolicy, recapOf } from '../../src/cli/hosts.ts'
import { applyPlan } from '../../src/engine/apply.ts'
import { makePlan } from '../../src/engine/plan.ts'
import { type HostPlay, play } from '../../src/hosts/play.ts'
import { ufwTask } from '../../src/hosts/squid.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { file } from '../support/plays.ts'
import { suite } from '../support/suite.ts'
import { worldFor } from '../support/things.ts'

const { test, before, after } = suite('batches of real hosts')

const ssh = createSsh({ bootSeconds: 1, connectTimeoutSeconds: 20 })
const world = { ...worldFor(), clientsFor: () => ({ ssh }) }
let hosts: TestHost[]

before(async () => {
  hosts = await Promise.all([10, 11, 14, 17, 18, 19].map(it => makeHost(it)))
  for (const [at, host] of hosts.entries())
    host.sh(`mkdir -m 710 /etc/app; head -c 300 /dev/urandom >/etc/app/raw; printf 'no newline ${at}' >/etc/app/text
chmod 4600 /etc/app/raw; chown daemon:games /etc/app/text; chmod 604 /etc/app/text
ufw allow proto tcp from 192.0.2.0/24 to any port 22 comment 'of another team' >/dev/null
ufw allow proto tcp from 10.9.0.0/16 to any port 3128 comment 'kapsule-egress: proxy' >/dev/null
ufw allow proto udp from any to any port 53 >/dev/null; ufw --force enable >/dev/null`)
})

after(async () => {
  await ssh.close()
  for (const it of hosts ?? []) await it.down()
})

const counted = (path: string, content: string) => file(path, content, { mode: '0644', notify: ['count'] })

const wanted = (host: TestHost, text: string): Omit<HostPlay, 'host'> & { host: TestHost['address'] } => ({
  host: host.address,
  tasks: [
    { task: 'directory', path: '/etc/app/new', mode: '0700', owner: 'daemon', group: 'root' },
    counted('/etc/app/new/file', text),
    counted('/etc/deep/er/file', text),
    counted('/etc/app/raw', text),
    counted('/etc/app/text', text),
    {
      task: 'command',
      name: 'mark',
      run: 'touch /etc/app/mark',
      unless: 'test -e /etc/app/mark',
      undo: 'rm /etc/app/mark',
    },
    ufwTask({ ssh: { allow: ['192.0.2.128/25'], port: 22 }, proxy: { from: ['10.0.0.0/8'], ports: [3128] } }),
  ],
  handlers: { count: 'cat /etc/app/text >>/var/tmp/seen; echo >>/var/tmp/seen' },
  health: [{ command: 'cat /etc/app/text; test ! -e /run/sick', withinSeconds: 1 }],
})

/** Everything below /etc that can differ, and the kernel's rules, as one text. */
const stateOf = (host: TestHost): string =>
  host.sh(`cd /etc; find . -xdev \\( -type f -o -type d -o -type l \\) -printf '%p %m %u %g %l\\n' | sort
find . -xdev -type f -exec sha256sum {} + | sort
iptables-save | grep '^[-:]' | sed 's/ \\[.*//'; ip6tables-save | grep '^[-:]' | sed 's/ \\[.*//'`)

/** One run over all of them. */
const run = async (text: string, configure: Parameters<typeof hostPolicy>[0]) => {
  const plays = hosts.map((it, at) => play(`host-${at + 1}`, wanted(it, text)))
  const ids = plays.map(it => it.id)
  const plan = await makePlan(plays, world, { later: true })
  const outcome = await applyPlan(plan, 'configure', world, { only: ids, ...hostPolicy(configure, ids) })
  return { outcome, ends: Object.values(recapOf(outcome)).map(it => it.status), recap: recapOf(outcome) }
}
const policy = (serial: (number | string)[], maxFail = 0) => ({ serial, maxFail, onFailure: 'keep' as const })
const digest = (text: string) => createHash('sha256').update(text).digest('hex')

test('the third of six fails its check: it is exactly as before, two are changed, three were not touched', async () => {
  hosts[2]!.sh('touch /run/sick')
  const was = hosts.map(stateOf)
  const { outcome, recap } = await run('first\n', policy([1]))
  assert.equal(
    Object.entries(recap)
      .map(([name, { status }]) => `${name} ${status}`)
      .sort(),
    [
      'host-1 changed',
      'host-2 changed',
      'host-3 failed',
      'host-4 not-reached',
      'host-5 not-reached',
      'host-6 not-reached',
    ],
  )
  const { message, why } = outcome.failures[0]!.error as Error & { why: string }
  assert.match(message, /test-14: health check .* failed; the host is as it was before/)
  assert.match(why, /first/)
  assert.is(stateOf(hosts[2]!), was[2])
  for (const at of [3, 4, 5]) assert.is(digest(stateOf(hosts[at]!)), digest(was[at]!))
  for (const at of [0, 1]) {
    assert.is(hosts[at]!.sh('cat /etc/app/raw; ls /etc/app'), 'first\nmark\nnew\nraw\ntext\n')
    assert.match(hosts[at]!.sh('ufw status'), /3128.*10\.0\.0\.0\/8/)
  }
})

test('handlers follow the change and the way back, each once', () => {
  assert.is(hosts[0]!.sh('cat /var/tmp/seen'), 'first\n\n')
  assert.is(hosts[2]!.sh('cat /var/tmp/seen'), 'first\n\nno newline 2\n')
})

test('one may fail: the others go on, batch by batch, and the run tells which failed', async () => {
  const was = stateOf(hosts[2]!)
  const { ends, recap } = await run('second\n', policy([1, '50%'], 1))
  assert.equal(
    [...ends].sort(),
    ['changed', 'changed', 'changed', 'changed', 'changed', 'failed'],
    JSON.stringify(recap),
  )
  assert.is(stateOf(hosts[2]!), was)
  assert.equal(
    hosts.map(it => it.sh('cat /etc/app/text')),
    ['second\n', 'second\n', 'no newline 2', 'second\n', 'second\n', 'second\n'],
  )
})

test('a host that is not there is unreachable, not failed, and counts as one of those that may fail', async () => {
  hosts[2]!.sh('rm /run/sick')
  hosts[4]!.sh('iptables -I INPUT -p tcp --dport 22 -j REJECT --reject-with tcp-reset')
  await ssh.close()
  const { ends, recap } = await run('third\n', policy([2], 1))
  assert.equal(
    [...ends].sort(),
    ['changed', 'changed', 'changed', 'changed', 'changed', 'unreachable'],
    JSON.stringify(recap),
  )
  assert.match(recap['host-5']?.why ?? '', /unreachable at root@/)
})
