import * as assert from 'uvu/assert'
import { hostPlay } from '../../src/hosts/play.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import type { ServiceTask } from '../../src/hosts/tasks/service.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { quiet } from '../support/plays.ts'
import { roundTrip } from '../support/rounds.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('services on a real host')

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 20 })
let host: TestHost

/** A daemon with an init script as Debian has them, which ends once `started` is so. */
const script = (name: string, run: string, started: string) => `cat >/etc/init.d/${name} <<'INIT'
#!/bin/sh
### BEGIN INIT INFO
# Provides: ${name}
# Required-Start: $remote_fs
# Required-Stop: $remote_fs
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
### END INIT INFO
p=/run/${name}.pid
up() { [ -s $p ] && kill -0 $(cat $p) 2>/dev/null; }
case $1 in
start) up || { setsid -f sh -c 'echo $$ >'$p'; exec ${run}' </dev/null >/dev/null 2>&1
  n=0; until ${started}; do n=$((n + 1)); [ $n -le 300 ] || exit 1; sleep 0.1; done; } ;;
stop) ! up || kill $(cat $p); rm -f $p ;;
status) up ;;
esac
INIT
chmod 755 /etc/init.d/${name}`

before(async () => {
  host = await makeHost(23)
  host.sh(`${script('ke-demo', 'sleep 600', 'up')}\n${script('ke-broken', 'false', '{ [ -s $p ] && ! up; }')}`)
})

after(async () => {
  await ssh.close()
  await host?.down()
})

const demo = (more: Partial<ServiceTask> = {}): ServiceTask => ({
  task: 'service',
  name: 'ke-demo',
  running: true,
  enabled: true,
  ...more,
})
const whyOf = (task: ServiceTask): Promise<string> =>
  hostPlay.apply({ host: host.address, tasks: [task], handlers: {} }, { ssh }, null, quiet).then(
    () => 'it did not fail',
    error => `${error.message}\n${error.why}`,
  )
const sysv = () =>
  host.sh(
    'service ke-demo status && echo up || echo down; ls /etc/rc2.d/S*ke-demo >/dev/null 2>&1 && echo boot || echo none',
  )

test('by its init script, where systemd is not what boots', async () => {
  const there = { ssh, host: host.address, snapshot: sysv }
  const plan = await roundTrip(there, { tasks: [demo()] }, () => assert.is(sysv(), 'up\nboot\n'))
  assert.is(plan[0]?.diff, 'running: no -> yes\nenabled: no -> yes')
  await hostPlay.apply({ host: host.address, tasks: [demo()], handlers: {} }, { ssh }, null, quiet)
  await roundTrip(there, { tasks: [demo({ running: false })] }, () => assert.is(sysv(), 'down\nboot\n'))
  await roundTrip(there, { tasks: [demo({ enabled: false })] }, () => assert.is(sysv(), 'up\nnone\n'))
})

test('one that does not stay up is a problem, and goes back to how it was', async () => {
  assert.match(await whyOf(demo({ name: 'ke-broken' })), /the host is as it was before\n.*ke-broken did not start/s)
  assert.is(host.sh('ls /etc/rc2.d/S*ke-broken 2>/dev/null || echo none').trim(), 'none')
})

test('what stands in for a slow script starts it, and the script stops it', async () => {
  const startWith =
    "setsid -f sh -c 'echo $$ >/run/ke-demo.pid; : >/run/ke-quick; exec sleep 601' </dev/null >/dev/null 2>&1"
  const there = { ssh, host: host.address, snapshot: sysv }
  host.sh('service ke-demo stop; rm -f /run/ke-quick')
  await roundTrip(there, { tasks: [demo({ startWith })] }, () => assert.is(sysv(), 'up\nboot\n'))
  assert.is(host.sh('ls /run/ke-quick').trim(), '/run/ke-quick')
  assert.is(sysv(), 'down\nboot\n')
})

test('one with ports is up when they are open, and a problem when they stay closed', async () => {
  const opens = (port: number, after: number) =>
    `setsid -f perl -MIO::Socket::INET -e 'open(F, ">/run/ke-demo.pid"); print F $$; close F; sleep ${after};
    $s = IO::Socket::INET->new(LocalPort => ${port}, Listen => 5) or die $!; sleep 603' </dev/null >/dev/null 2>&1
n=0; until service ke-demo status; do n=$((n + 1)); [ $n -le 300 ] || exit 1; sleep 0.1; done`
  const want = (startWith: string) => demo({ listens: [4711], startWith })
  host.sh('service ke-demo stop || :')
  await hostPlay.apply({ host: host.address, tasks: [want(opens(4711, 1))], handlers: {} }, { ssh }, null, quiet)
  assert.match(host.sh('ss -Hltn sport = :4711'), /4711/)
  host.sh('service ke-demo stop')
  assert.match(await whyOf(want(opens(4712, 0))), /ke-demo was started, and does not listen on port 4711/)
  assert.is(sysv(), 'down\nboot\n')
})

test('what a killed daemon left behind does not keep its place; others of that name stay', async () => {
  const there = (seconds: number) => host.sh(`pgrep -cfx '/usr/local/bin/ke-fork ${seconds}' || :`).trim()
  host.sh(`cp /bin/sleep /usr/local/bin/ke-fork
${script('ke-fork', '/usr/local/bin/ke-fork 602', 'up')}
setsid -f /usr/local/bin/ke-fork 601 </dev/null >/dev/null 2>&1
setsid sh -c '/usr/local/bin/ke-fork 600 & exit' </dev/null >/dev/null 2>&1`)
  assert.equal([600, 601, 602].map(there), ['1', '1', '0'])
  const want = { host: host.address, tasks: [demo({ name: 'ke-fork', enabled: false })], handlers: {} }
  await hostPlay.apply(want, { ssh }, null, quiet)
  assert.equal([600, 601, 602].map(there), ['0', '1', '1'])
  host.sh("service ke-fork stop; pkill -fx '/usr/local/bin/ke-fork 601'")
})

test('a time limit and links already in place need no update-rc.d', async () => {
  const want = { host: host.address, tasks: [demo({ timeoutSeconds: 20 } as object)], handlers: {} }
  host.sh('service ke-demo stop; mv /usr/sbin/update-rc.d /usr/sbin/update-rc.d.away')
  await hostPlay.apply(want, { ssh }, null, quiet)
  assert.is(sysv(), 'up\nboot\n')
  host.sh('service ke-demo stop')
})

/**
 * The real one is in systemd.long.test.ts. This stands in for systemctl: it keeps what is active and enabled
 * as files, answers is-active and is-enabled by exit code as the real one does, needs no daemon-reload, and records
 * what it is asked to do.
 */
const systemd = `mkdir -p /run/systemd/system /srv/sd/active /srv/sd/enabled
cat >/usr/bin/systemctl <<'SD'
#!/bin/sh
if [ "$1" = -q ]; then shift; fi
case $1 in
is-active) [ -e /srv/sd/active/$2 ] || exit 3; exit ;;
is-enabled) [ -e /srv/sd/enabled/$2 ] || exit 1; exit ;;
show) echo no; exit ;;
esac
echo "$*" >>/srv/sd/asked
case $1 in
start) [ "$2" != ke-broken ] || { echo "Job for $2.service failed"; exit 1; }; : >/srv/sd/active/$2 ;;
stop) rm -f /srv/sd/active/$2 ;;
enable) : >/srv/sd/enabled/$2 ;;
disable) rm -f /srv/sd/enabled/$2 ;;
esac
SD
chmod 755 /usr/bin/systemctl`

test('with systemctl (a stand-in), where systemd boots the host', async () => {
  host.sh(systemd)
  const there = { ssh, host: host.address, snapshot: () => host.sh('cd /srv/sd; ls active enabled') }
  await roundTrip(there, { tasks: [demo()] })
  assert.equal(host.sh('cat /srv/sd/asked').trim().split('\n'), [
    'enable ke-demo',
    'start ke-demo',
    'disable ke-demo',
    'stop ke-demo',
  ])
  assert.match(await whyOf(demo({ name: 'ke-broken' })), /as it was before\n.*Job for ke-broken\.service failed/s)
})
