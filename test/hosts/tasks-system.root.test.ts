import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import * as assert from 'uvu/assert'
import type { Facts } from '../../src/hosts/facts.ts'
import { hostPlay } from '../../src/hosts/play.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import type { Task } from '../../src/hosts/tasks/all.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { quiet } from '../support/plays.ts'
import { roundTrip } from '../support/rounds.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('task kinds for the system on a real host')

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 20 })
/** This machine's end of the host's link. */
const outside = '192.0.2.213'
const body = Buffer.from(Array.from({ length: 300_000 }, (_, n) => (n * 7 + (n >> 8)) % 256))
const sha256 = createHash('sha256').update(body).digest('hex')
let host: TestHost
let server: Server
let port: number

before(async () => {
  host = await makeHost(21)
  host.sh(
    `mkdir -p /srv/home; printf '#!/bin/sh\\n' >/usr/sbin/cron; chmod 755 /usr/sbin/cron
useradd -M -d /srv/home/old -s /bin/sh -G games old; mkdir -p /srv/home/old/.ssh; echo '# mine' >/srv/home/old/.ssh/authorized_keys
chown -R old /srv/home/old; mkdir -p /srv/f; echo earlier >/srv/f/got; chmod 600 /srv/f/got`,
  )
  server = createServer((request, response) => {
    if (request.url === '/file') response.end(body)
    // Nobody knows beforehand how much comes.
    else if (request.url === '/on') response.write(body, () => response.end(body))
    else response.writeHead(404).end()
  })
  await new Promise<void>(resolve => server.listen(0, outside, resolve))
  port = (server.address() as { port: number }).port
})

after(async () => {
  server?.close()
  await ssh.close()
  await host?.down()
})

const snapshot = () =>
  host.sh(
    `cat /etc/passwd /etc/group /etc/subuid; cut -d: -f1,2,8 /etc/shadow; cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ip_local_port_range
find /etc/cron.d /etc/sysctl.d /srv -printf "%p %y %m %u %g\\n" | sort; find /etc/cron.d /etc/sysctl.d /srv -type f | sort | xargs sha256sum`,
  )
const round = (tasks: Task[], during?: () => void) =>
  roundTrip({ ssh, host: host.address, snapshot }, { tasks }, during)
const whyOf = async (tasks: Task[]): Promise<string> => {
  const there = snapshot()
  const error = await hostPlay.apply({ host: host.address, tasks, handlers: {} }, { ssh }, null, quiet).then(
    () => assert.unreachable('it did not fail'),
    it => it,
  )
  assert.is(snapshot(), there, 'a failure leaves the host as it was')
  return `${error.message}\n${error.why}`
}

const key = (letter: string) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${letter.repeat(43)} operator@${letter}`

test('a user, with a home and a key, is made and unmade', async () => {
  const plan = await round(
    [
      { task: 'group', name: 'ops', gid: 1600 },
      {
        task: 'user',
        name: 'eva',
        group: 'ops',
        groups: ['games', 'audio'],
        home: '/srv/home/eva',
        shell: '/bin/sh',
        system: true,
      },
      { task: 'directory', path: '/srv/home/eva', mode: '0750', owner: 'eva', group: 'ops' },
      { task: 'authorizedKey', user: 'eva', key: key('A') },
      { task: 'authorizedKey', user: 'eva', key: `no-pty,command="echo 'x y'" ${key('B')}` },
    ],
    () => {
      assert.is(host.sh('id -Gn eva').trim(), 'ops audio games')
      assert.is(
        host.sh('cat /srv/home/eva/.ssh/authorized_keys'),
        `${key('A')}\nno-pty,command="echo 'x y'" ${key('B')}\n`,
      )
      assert.is(
        host.sh('cd /srv/home/eva; stat -c "%a %U:%G" . .ssh .ssh/authorized_keys'),
        '750 eva:ops\n700 eva:ops\n600 eva:ops\n',
      )
    },
  )
  assert.equal(
    plan.map(it => `${it.action} ${it.name}`),
    [
      'create group ops',
      'create user eva',
      'create directory /srv/home/eva',
      'create key operator@A of eva',
      'create key operator@B of eva',
    ],
  )
  assert.is(plan[1]?.diff, '-g ops -G games,audio -d /srv/home/eva -s /bin/sh')
})

test('a user is changed and locked, and given back', async () => {
  const plan = await round(
    [
      { task: 'user', name: 'old', groups: ['audio', 'games'], shell: '/usr/sbin/nologin', locked: true },
      { task: 'authorizedKey', user: 'old', key: key('C') },
    ],
    () => {
      assert.is(host.sh('id -Gn old').trim(), 'old audio games')
      assert.is(host.sh('cat /srv/home/old/.ssh/authorized_keys'), `# mine\n${key('C')}\n`)
    },
  )
  assert.is(plan[0]?.diff, 'groups: games -> games,audio\nshell: /bin/sh -> /usr/sbin/nologin\nexpires: none -> 1')
  assert.equal(plan[1]?.diff?.trim().split('\n').slice(-2), ['@@ -1,0 +2,1 @@', `+${key('C')}`])
})

test('a user is locked out of everything, and the host takes it back when that was us', async () => {
  assert.match(await whyOf([{ task: 'user', name: 'root', shell: '/bin/false', confirmSeconds: 3 }]), /no new login/)
  assert.match(host.sh('getent passwd root'), /:\/bin\/bash$/m)
})

test('a key that may no longer log in is removed, whatever its comment', async () => {
  host.sh(`echo '${key('D')} of somebody else' >>/srv/home/old/.ssh/authorized_keys`)
  await round([{ task: 'authorizedKey', user: 'old', key: key('D'), present: false }], () =>
    assert.is(host.sh('cat /srv/home/old/.ssh/authorized_keys'), '# mine\n'),
  )
})

test('a link in the place of ~/.ssh is not followed', async () => {
  host.sh('mkdir /srv/home/trap; ln -s /root /srv/home/trap/.ssh; useradd -M -d /srv/home/trap trap')
  assert.match(await whyOf([{ task: 'authorizedKey', user: 'trap', key: key('E') }]), /is not a directory/)
  assert.match(await whyOf([{ task: 'authorizedKey', user: 'nobody-there', key: key('E') }]), /there is no user/)
})

test('kernel settings hold now and after a boot, and come back', async () => {
  const was = host.sh('cat /proc/sys/net/ipv4/ip_forward').trim()
  const plan = await round(
    [
      { task: 'sysctl', name: 'net.ipv4.ip_forward', value: was === '1' ? '0' : '1' },
      { task: 'sysctl', name: 'net.ipv4.ip_local_port_range', value: '20000 50000' },
    ],
    () => {
      assert.is(host.sh('cat /proc/sys/net/ipv4/ip_local_port_range').trim(), '20000\t50000')
      assert.is(
        host.sh('cat /etc/sysctl.d/99-zz-kapsule-egress-net.ipv4.ip_local_port_range.conf'),
        'net.ipv4.ip_local_port_range = 20000 50000\n',
      )
    },
  )
  assert.match(plan[1]?.diff ?? '', /^now: \d+ \d+ -> 20000 50000\nafter a boot: .* is missing$/)
  assert.match(await whyOf([{ task: 'sysctl', name: 'net.ipv4.no_such', value: '1' }]), /the kernel has no/)
  assert.match(
    await whyOf([{ task: 'sysctl', name: 'net.ipv4.ip_forward', value: 'maybe' }]),
    /the kernel refuses maybe/,
  )
  for (const [name, value, why] of [
    ['net.ipv4.route.flush', '1', /cannot be read back/],
    ['net.ipv4.ip_local_port_range', '30000', /makes something else of it: 30000 \d+|refuses 30000/],
  ] as const)
    assert.match(await whyOf([{ task: 'sysctl', name, value }]), why)
  await round([{ task: 'sysctl', name: 'net/ipv4/ip_local_port_range', value: '0x7530 50000' }])
})

test('numbers of owners and groups that have names hold', async () => {
  await round([
    { task: 'user', name: 'old', group: '100' },
    { task: 'file', path: '/srv/by-number', content: 'x\n', mode: '0640', owner: '1', group: '100' },
    { task: 'directory', path: '/srv/f', mode: '0750', owner: '1', group: '65534' },
  ])
})

test('a cron job is a file of its own', async () => {
  await round(
    [{ task: 'cron', name: 'ours', schedule: '*/5 * * * 1-5', run: 'date +%F >/dev/null', user: 'old' }],
    () =>
      assert.match(
        host.sh('cat /etc/cron.d/kapsule-egress-ours'),
        /^\*\/5 \* \* \* 1-5 old date \+\\%F >\/dev\/null$/m,
      ),
  )
  host.sh('rm /usr/sbin/cron')
  const job: Task = { task: 'cron', name: 'ours', schedule: '@daily', run: 'true' }
  assert.match(await whyOf([job]), /there is no cron on this host/)
})

test('a file is fetched by the host, with its hash, and the earlier one comes back', async () => {
  const task = { task: 'fetch', path: '/srv/f/got', mode: '0755', owner: 'root', group: 'root' } as const
  const url = `http://${outside}:${port}/file`
  const plan = await round(
    [
      { ...task, url, sha256 },
      { ...task, url, sha256, path: '/srv/f/new', maxBytes: body.length },
    ],
    () => {
      for (const it of ['got', 'new'])
        assert.is(host.sh(`sha256sum </srv/f/${it}; stat -c %a /srv/f/${it}`), `${sha256}  -\n755\n`)
    },
  )
  assert.match(plan[0]?.diff ?? '', /^sha256: [0-9a-f]{64} -> [0-9a-f]{64}\nfrom: http.*\nmode: 0600 -> 0755$/)
  assert.match(await whyOf([{ ...task, url, sha256: '0'.repeat(64) }]), /what came has the hash/)
  assert.match(await whyOf([{ ...task, url: `${url}s`, sha256 }]), /404/)
  for (const it of ['file', 'on'])
    assert.match(
      await whyOf([{ ...task, url: `http://${outside}:${port}/${it}`, sha256, maxBytes: 200_000 }]),
      /it is over 200000 bytes/,
    )
})

test('ports are waited for, here and elsewhere, and the wait ends', async () => {
  const tasks: Task[] = [
    { task: 'port', port: 22 },
    { task: 'port', port: 4022, seconds: 60 },
    { task: 'port', port, host: outside },
  ]
  const want = { host: host.address, tasks, handlers: {} }
  const seen = (await hostPlay.read(want, { ssh }, quiet))!
  const plan = hostPlay.diff(want, seen)
  assert.equal(plan?.details, [{ name: 'port 4022', action: 'update', diff: 'closed: waits up to 60 s' }])
  host.sh(`setsid -f sh -c 'sleep 2; exec /usr/sbin/sshd -D -p 4022' </dev/null >/dev/null 2>&1`)
  const now = await hostPlay.apply(want, { ssh }, seen, quiet)
  assert.is(hostPlay.diff(want, now), null)
  assert.match(await whyOf([{ task: 'port', port: 4999, seconds: 1 }]), /port 4999 did not open within 1 s/)
  assert.match(await whyOf([{ task: 'port', port: 9, host: outside, seconds: 1 }]), /did not open within 1 s/)
})

test('facts are what the host says, with and without ip(8)', async () => {
  const tasks: Task[] = [
    { task: 'facts', packages: ['openssh-server', 'no-such'], services: ['ssh'] },
    {
      task: 'template',
      path: '/srv/list',
      template: 'partials/managed',
      data: {},
      mode: '0644',
      owner: 'root',
      group: 'root',
    },
    { task: 'line', path: '/srv/line', line: 'only here', onlyOn: ['debian'] },
    { task: 'line', path: '/srv/line', line: 'never', onlyOn: ['suse'] },
  ]
  const plan = await round(tasks, () =>
    assert.match(host.sh('cat /srv/list /srv/line'), /kapsule-egress.*\nonly here\n$/s),
  )
  assert.equal(
    plan.map(it => `${it.action} ${it.name}`),
    ['create /srv/list', 'create line "only here" in /srv/line'],
  )
  const ask = async () => {
    const seen = await hostPlay.read({ host: host.address, tasks, handlers: {} }, { ssh }, quiet)
    return seen!.states.facts as Facts
  }
  const facts = await ask()
  const said = (command: string) => host.sh(command).trim()
  assert.is(facts.distribution, said('. /etc/os-release; echo $ID'))
  assert.is(facts.version, said('. /etc/os-release; echo $VERSION_ID'))
  assert.is(facts.hostname, said('hostname'))
  assert.is(facts.cores, Number(said('nproc')))
  assert.is(facts.memoryBytes, 1024 * Number(said("sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")))
  assert.equal(facts.addresses, [host.address.address])
  const eth0 = facts.interfaces.find(it => it.name === 'eth0')!
  assert.is(`${eth0.addresses[0]} ${eth0.up} ${eth0.mtu}`, `${host.address.address}/30 true 1500`)
  assert.is(eth0.mac, said('cat /sys/class/net/eth0/address'))
  assert.is(facts.packages['openssh-server'], said("dpkg-query -W -f '${Version}' openssh-server"))
  assert.is(facts.packages['no-such'], null)
  assert.equal(facts.services, { ssh: { running: true, enabled: facts.services.ssh!.enabled } })
  host.sh('for it in $(command -v -p ip) /sbin/ip /bin/ip /usr/sbin/ip /usr/bin/ip; do [ ! -e $it ] || rm $it; done')
  const without = await ask()
  assert.equal(without.addresses, [host.address.address])
  assert.equal({ ...without, interfaces: [] }, { ...facts, interfaces: [] })
})
