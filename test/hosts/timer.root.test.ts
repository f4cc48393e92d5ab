import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import * as assert from 'uvu/assert'
import { hostPlay } from '../../src/hosts/play.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import type { TimerTask } from '../../src/hosts/tasks/timer-units.ts'
import { unitsOf } from '../../src/hosts/tasks/timer-units.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { quiet } from '../support/plays.ts'
import { roundTrip } from '../support/rounds.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('timers on a real host', { seconds: 90 })

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 5 })
let host: TestHost

before(async () => {
  host = await makeHost(0)
})

after(async () => {
  await ssh.close()
  await host?.down()
})

const task: TimerTask = {
  task: 'timer',
  name: 'rotate',
  calendar: 'Mon..Fri 03:30',
  run: `printf '%s\\n' "$(date +%F) \\"x\\"" 'it''s' >/dev/null; true # $HOME`,
  user: 'proxy',
  catchUp: true,
  spreadSeconds: 600,
}
const whyOf = (it: TimerTask): Promise<string> =>
  hostPlay.apply({ host: host.address, tasks: [it], handlers: {} }, { ssh }, null, quiet).then(
    () => 'it did not fail',
    error => `${error.message}\n${error.why}`,
  )

test('where systemd is not what boots, it says what to use, and writes nothing', async () => {
  const why = await whyOf(task)
  assert.match(why, /the host is as it was before\nsystemd is not what boots this host: use a cron task/)
  assert.is(host.sh('ls /etc/systemd/system | grep kapsule || echo none'), 'none\n')
})

/**
 * The real one is in systemd.long.test.ts. This stands in for systemctl: what is on and active as files, a unit has
 * to be there to be enabled or started, and is known only after daemon-reload.
 */
const systemd = `mkdir -p /run/systemd/system /srv/sd/active /srv/sd/enabled /srv/sd/known
cat >/usr/bin/systemctl <<'SD'
#!/bin/sh
if [ "$1" = -q ]; then shift; fi
case $1 in
is-active) [ -e /srv/sd/active/$2 ] || exit 3; exit ;;
is-enabled) [ -e /srv/sd/enabled/$2 ] || exit 1; exit ;;
esac
echo "$*" >>/srv/sd/asked
case $1 in
daemon-reload) rm -f /srv/sd/known/*; for it in /etc/systemd/system/kapsule-*; do [ ! -e "$it" ] || : >"/srv/sd/known/\${it##*/}"; done; exit ;;
esac
[ -e /srv/sd/known/$2 ] || { echo "Unit $2 not found."; exit 5; }
case $1 in
start | restart) : >/srv/sd/active/$2 ;;
stop) rm -f /srv/sd/active/$2 ;;
enable) : >/srv/sd/enabled/$2 ;;
disable) rm -f /srv/sd/enabled/$2 ;;
esac
SD
chmod 755 /usr/bin/systemctl`

const snapshot = () =>
  host.sh(
    'cd /srv/sd; ls active enabled; cd /etc/systemd/system; ls -la --time-style=+ | grep kapsule; cat kapsule* 2>&1 || :',
  )

test('there and back with systemctl (a stand-in), where systemd boots the host', async () => {
  host.sh(systemd)
  const there = { ssh, host: host.address, snapshot }
  const plan = await roundTrip(there, { tasks: [task] }, () =>
    assert.match(snapshot(), /^active:\nkapsule-egress-rotate.timer\n\nenabled:\nkapsule-egress-rotate.timer\n/),
  )
  assert.equal(
    plan.map(it => `${it.action} ${it.name}`),
    ['create timer rotate'],
  )
  await hostPlay.apply({ host: host.address, tasks: [task], handlers: {} }, { ssh }, null, quiet)
  const later = await roundTrip(there, { tasks: [{ ...task, calendar: 'daily' }] })
  assert.match(later[0]?.diff ?? '', /^-OnCalendar=Mon\.\.Fri 03:30\n\+OnCalendar=daily$/m)
})

test('a time that systemd cannot read replaces nothing', async () => {
  const was = snapshot()
  assert.match(await whyOf({ ...task, calendar: 'Foo..Fri' }), /as it was before\n.*(Failed to parse|Invalid)/s)
  assert.is(snapshot(), was)
})

test('systemd itself reads the command as it was written', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ke-timer-'))
  try {
    mkdirSync(join(folder, 'home'), { mode: 0o777 })
    const { service, timer } = unitsOf(task)
    for (const it of [service, timer]) writeFileSync(join(folder, basename(it.path)), it.content)
    const verified = execFileSync('systemd-analyze', ['verify', '--man=no', join(folder, basename(timer.path))], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    assert.is(verified, '')
    // A user's systemd only dumps what it would do. It cannot be another user, and root may not ask.
    writeFileSync(join(folder, basename(service.path)), service.content.replace(/^User=.*\n/m, ''))
    execFileSync('chmod', ['-R', 'a+rwX', folder])
    const home = join(folder, 'home')
    const dump = execFileSync(
      'setpriv',
      [
        ...['--reuid=65534', '--regid=65534', '--clear-groups', 'env', '-i', `HOME=${home}`, `XDG_RUNTIME_DIR=${home}`],
        ...[
          `SYSTEMD_UNIT_PATH=${folder}:`,
          '/lib/systemd/systemd',
          '--test',
          '--user',
          `--unit=${basename(service.path)}`,
        ],
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 64 << 20, timeout: 20_000 },
    )
    const said = /^\s*Command Line: \/bin\/sh -c "(.*)"$/m.exec(dump)?.[1]
    // The dump escapes what it prints; variables are replaced when it starts.
    assert.is(said?.replace(/\\(.)/g, '$1').replaceAll('$$', '$'), task.run)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
