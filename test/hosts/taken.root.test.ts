import * as assert from 'uvu/assert'
import { healthStep } from '../../src/hosts/health.ts'
import { type HostPlay, hostPlay } from '../../src/hosts/play.ts'
import { squidTasks } from '../../src/hosts/squid.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import { policyOf } from '../../src/policy/entries.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { problem, quiet } from '../support/plays.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite("Squid's port in other hands, on a real host", { seconds: 120 })
const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 20 })
let host: TestHost

const play = (...ports: number[]): HostPlay => ({
  host: host.address,
  ...squidTasks({
    hostName: 'proxy-1',
    tenants: ports.map(port => ({
      ...{ name: `client-${port}`, port, clients: ['192.0.2.128/25'] },
      policy: policyOf({}, { tenant: `client-${port}`, egress: { mode: 'report', allow: [] } }),
    })),
    inner: [],
    nameservers: ['127.0.0.1'],
  }),
})
const look = async (want: HostPlay) => (await hostPlay.read(want, { ssh }, quiet))!
const apply = async (want: HostPlay) => hostPlay.apply(want, { ssh }, await look(want), quiet)

/** A program that is not Squid takes the port; its pid. */
const take = (port: number): string =>
  host
    .sh(`setsid -f perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => ${port}, Listen => 5, ReuseAddr => 1) or die $!;
    open(F, ">/run/taker.new"); print F $$; close F; rename("/run/taker.new", "/run/taker"); sleep 600' </dev/null >/dev/null 2>&1
n=0; until [ -e /run/taker ]; do n=$((n + 1)); [ $n -le 500 ] || exit 1; sleep 0.02; done; cat /run/taker; rm /run/taker`)
    .trim()
const health = (by?: string) => {
  const { run } = healthStep({ port: 3128, ...(by && { by }) })
  return host.sh(`(${run}) 2>&1 && echo well || :`).trim()
}

before(async () => {
  host = await makeHost(31)
  await apply(play(3128))
})
after(async () => {
  await ssh.close()
  await host?.down()
})

test('Squid itself is well, and a program of another name is not it', () => {
  assert.is(health('squid'), 'well')
  assert.match(health('nginx'), /^port 3128 is taken by squid \(pid \d+\), not by nginx$/)
})

test('while it is down: the start fails and says who has the port, and the check of its health does', async () => {
  host.sh('service squid stop')
  const pid = take(3128)
  assert.is(health('squid'), `port 3128 is taken by perl (pid ${pid}), not by squid`)
  assert.is(health(), 'well')
  const thrown = await problem(apply(play(3128)))
  assert.match(thrown.why, `squid cannot start: port 3128 is taken by perl (pid ${pid})`)
  // The same with a new squid.conf, which has a handler behind it.
  assert.match(
    (await problem(apply(play(3128, 3129)))).why,
    `squid cannot start: port 3128 is taken by perl (pid ${pid})`,
  )
  host.sh(`kill ${pid}`)
  assert.is(hostPlay.diff(play(3128), await apply(play(3128))), null)
  assert.is(health('squid'), 'well')
})

test('while it runs: a new port that somebody has is refused, and the old configuration serves on', async () => {
  const pid = take(3130)
  const thrown = await problem(apply(play(3128, 3130)))
  assert.match(`${thrown.message} ${thrown.why}`, `port 3130 is taken by perl (pid ${pid})`)
  host.sh(`kill ${pid}`)
  assert.is(hostPlay.diff(play(3128), await look(play(3128))), null)
  assert.is(health('squid'), 'well')
})
