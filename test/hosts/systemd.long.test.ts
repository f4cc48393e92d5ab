import * as assert from 'uvu/assert'
import { hostPlay } from '../../src/hosts/play.ts'
import { squidTasks } from '../../src/hosts/squid.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import type { Task } from '../../src/hosts/tasks/all.ts'
import type { ServiceTask } from '../../src/hosts/tasks/service.ts'
import type { TimerTask } from '../../src/hosts/tasks/timer-units.ts'
import { policyOf } from '../../src/policy/entries.ts'
import { enough, firewall, type GuardedHost, guardedHost, sshdFile } from '../support/guarded-host.ts'
import { quiet } from '../support/plays.ts'
import { roundTrip } from '../support/rounds.ts'
import { suite } from '../support/suite.ts'
import { noSystemd } from '../support/systemd.ts'
import { until } from '../support/until.ts'

const { test, before, after } = suite('a host that systemd boots', { seconds: 240 })

const ssh = createSsh({ bootSeconds: 20, connectTimeoutSeconds: 8 })
const why = noSystemd()
let host: GuardedHost

if (why) {
  console.log(`skipped, systemd as process 1: ${why}`)
  test('the reason is said', () => assert.ok(why.length > 0))
} else {
  before(async () => {
    host = await guardedHost(18, ssh, { systemd: true })
    host.sh(`cat >/etc/systemd/system/ke-demo.service <<'UNIT'
[Service]
ExecStart=/bin/sleep 600
[Install]
WantedBy=multi-user.target
UNIT
printf '[Service]\\nType=notify\\nTimeoutStartSec=2\\nExecStart=/bin/false\\n' >/etc/systemd/system/ke-broken.service
systemctl daemon-reload`)
  })
  after(async () => {
    await ssh.close()
    await host?.down()
  })

  const demo = (more: Partial<ServiceTask> = {}): ServiceTask => ({
    ...{ task: 'service', name: 'ke-demo', running: true, enabled: true },
    ...more,
  })
  const state = (unit: string) =>
    host
      .sh(`systemctl is-active ${unit} || :; systemctl is-enabled ${unit} 2>/dev/null || :`)
      .trim()
      .split('\n')
      .join(' ')
  const pid = (unit: string) => Number(host.sh(`systemctl show -P MainPID ${unit}`))

  test('systemd is what runs', () =>
    assert.match(host.sh('cat /proc/1/comm; systemctl is-system-running || :'), /^systemd\n(running|degraded)/))

  test('a service runs and is enabled, and goes back', async () => {
    const there = { ssh, host: host.address, snapshot: () => state('ke-demo') }
    const plan = await roundTrip(there, { tasks: [demo()] }, () => assert.is(state('ke-demo'), 'active enabled'))
    assert.is(plan[0]?.diff, 'running: no -> yes\nenabled: no -> yes')
    await host.apply([demo()])
    await roundTrip(there, { tasks: [demo({ running: false })] }, () => assert.is(state('ke-demo'), 'inactive enabled'))
    await roundTrip(there, { tasks: [demo({ enabled: false })] }, () => assert.is(state('ke-demo'), 'active disabled'))
  })

  test('a restart handler restarts it once, and not when nothing changed', async () => {
    const want = {
      host: host.address,
      tasks: [
        {
          task: 'file',
          path: '/etc/ke-demo',
          content: 'x',
          mode: '0644',
          owner: 'root',
          group: 'root',
          notify: ['restart'],
        },
        demo(),
      ] satisfies Task[],
      handlers: { restart: 'systemctl restart ke-demo' },
    }
    const was = pid('ke-demo')
    const now = await hostPlay.apply(want, { ssh }, await hostPlay.read(want, { ssh }, quiet), quiet)
    assert.ok(pid('ke-demo') > 0 && pid('ke-demo') !== was)
    assert.is(hostPlay.diff(want, now), null)
  })

  test("one that does not start is a problem in systemd's words, and goes back", async () => {
    const { message, why } = await host.refuses([demo({ name: 'ke-broken', enabled: false })])
    assert.match(message, /the host is as it was before/)
    assert.match(why, /Job for ke-broken\.service failed/)
  })

  test('a timer there and back; what it names is run at its time', async () => {
    const timer: TimerTask = {
      ...{ task: 'timer', name: 'tick', calendar: '*-*-* *:*:*', user: 'proxy', catchUp: true },
      run: `id -un >/tmp/ticked; printf '%s\\n' "100%" '$HOME' >>/tmp/ticked`,
    }
    const units = () =>
      host.sh('ls /etc/systemd/system | grep kapsule || :; systemctl list-timers --all | grep -c kapsule || :')
    await roundTrip({ ssh, host: host.address, snapshot: units }, { tasks: [timer] })
    await host.apply([timer])
    const wrote = () => host.sh('cat /tmp/ticked 2>/dev/null || :')
    assert.ok(await until(() => wrote().split('\n').length > 3, 60), 'within a minute')
    assert.is(wrote(), 'proxy\n100%\n$HOME\n')
    host.sh('systemctl disable --now kapsule-egress-tick.timer')
    const { why } = await host.refuses([{ ...timer, calendar: 'Foo..Fri' }])
    assert.match(why, /Failed to parse|Invalid/)
  })

  // Those of changes that are confirmed sleep on until their time is over.
  const waits = () =>
    / running .* wait \S+ 6$/m.test(host.sh('systemctl list-units --plain --no-legend "kapsule-egress-revert-*"'))

  for (const { when, task } of [
    { when: 'a firewall without us', task: firewall('198.51.100.0/24') },
    { when: 'an sshd on another port', task: sshdFile('Port 2222') },
    {
      when: 'an ssh service that is stopped',
      task: { task: 'service', name: 'ssh', running: false, enabled: false, confirmSeconds: 6 },
    },
  ] as { when: string; task: Task }[])
    test(`${when} is taken back by a transient unit, to the letter`, async () => {
      const was = host.picture()
      const run = host.refuses([task])
      assert.ok(await until(async () => host.ready() && !(await host.letsIn()), 60), 'it really locks us out')
      assert.ok(waits(), 'in a unit of its own')
      assert.ok(await until(host.letsIn, 60), 'and lets us in again')
      assert.match((await run).why, /no new login confirmed the change/)
      assert.is(host.picture(), was)
      assert.ok(await until(() => !waits(), 60))
    })

  test('the power goes inside the window: the hook unit puts all back before sshd and ufw start', async () => {
    await host.apply([{ task: 'service', name: 'ufw', running: true, enabled: true, confirmSeconds: enough }])
    const files = () => host.sh('cd /etc; sha256sum ufw/*.rules ufw/ufw.conf; ls ssh/sshd_config.d; iptables -S | sort')
    const was = files()
    const run = host.refuses([firewall('198.51.100.0/24', enough)])
    assert.ok(await until(() => host.ready(), 60))
    assert.match(host.sh('systemctl is-enabled kapsule-egress-revert'), /enabled/)
    await host.reboot()
    await run
    assert.ok(await until(host.letsIn, 60))
    assert.match(state('ufw'), /^active enabled$/)
    assert.is(files(), was)
    assert.is(host.armed(), false)
    assert.is(host.sh('ls /etc/systemd/system | grep revert || :'), '')
  })

  test('squid starts with our unit drop-in, and comes back after it died and after a boot', async () => {
    const { tasks, handlers } = squidTasks({
      hostName: 'proxy-1',
      tenants: [
        {
          name: 'client-a',
          port: 3128,
          clients: ['192.0.2.128/25'],
          policy: policyOf({}, { tenant: 'client-a', egress: { mode: 'enforce', allow: [] } }),
        },
      ],
      inner: [],
      nameservers: ['127.0.0.1'],
    })
    const want = { host: host.address, tasks, handlers }
    const now = await hostPlay.apply(want, { ssh }, await hostPlay.read(want, { ssh }, quiet), quiet)
    assert.is(hostPlay.diff(want, now), null)
    const shown = () => host.sh('systemctl show -P Restart -P LimitNOFILE -P NeedDaemonReload squid').trim().split('\n')
    assert.equal(shown(), ['on-failure', '65536', 'no'])
    // As many as this machine lets a host have.
    const most = host.sh('ulimit -Hn').trim()
    const files = host.sh(`sed -n 's/^Max open files *\\([0-9]*\\).*/\\1/p' /proc/${pid('squid')}/limits`).trim()
    assert.is(files, String(Math.min(65536, Number(most.replace('unlimited', '65536')))))
    const first = pid('squid')
    host.sh(`kill -s SEGV ${first}`)
    assert.ok(await until(() => state('squid') === 'active enabled' && pid('squid') !== first, 60))
    await host.reboot()
    assert.ok(await until(() => state('squid') === 'active enabled', 60))
    assert.is(await hostPlay.diff(want, (await hostPlay.read(want, { ssh }, quiet))!), null)
  })
}
