import * as assert from 'uvu/assert'
import { hostPlay } from '../../src/hosts/play.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import type { Task } from '../../src/hosts/tasks/all.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { quiet } from '../support/plays.ts'
import { roundTrip } from '../support/rounds.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('task kinds for files on a real host')

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 20 })
let host: TestHost

before(async () => {
  host = await makeHost(20)
  host.sh(`mkdir -p /srv/t; cd /srv/t
printf 'one\\n#a=0\\nb=2\\na=7' >conf; chmod 640 conf; chown proxy conf
printf 'x\\n' >list; ln -s one link; printf gone >old; ln -s nowhere stale; mkdir dir`)
})

after(async () => {
  await ssh.close()
  await host?.down()
})

const snapshot = () =>
  host.sh(
    'cd /srv/t; find . -printf "%p %y %m %u %g %l\\n" | sort; for f in $(find . -type f | sort); do echo "== $f"; base64 <$f; done',
  )
const round = (tasks: Task[], during?: () => void) =>
  roundTrip({ ssh, host: host.address, snapshot }, { tasks }, during)
const problemOf = (tasks: Task[]): Promise<unknown> => {
  const want = { host: host.address, tasks, handlers: {} }
  return hostPlay.apply(want, { ssh }, null, quiet).then(
    () => assert.unreachable('it did not fail'),
    error => error,
  )
}

for (const shell of ['dash', 'bash']) {
  test(`where sh is ${shell}`, () => {
    host.sh(`ln -sf ${shell} /bin/sh; printf 'x\\n' >/srv/t/list`)
    assert.match(host.sh('readlink /bin/sh'), new RegExp(shell))
  })

  test(`${shell}: lines and blocks of one file, by several tasks in one run`, async () => {
    const plan = await round(
      [
        { task: 'line', path: '/srv/t/conf', line: 'a=1', replaces: ['a=', '#a='] },
        { task: 'line', path: '/srv/t/conf', line: 'b=2', present: false },
        { task: 'block', path: '/srv/t/conf', name: 'ours', lines: ["it's $(touch /srv/t/pwned) \\n", '*'] },
        { task: 'line', path: '/srv/t/conf', line: 'one' },
        { task: 'line', path: '/srv/t/new', line: 'first' },
      ],
      () => {
        assert.is(
          host.sh('cat /srv/t/conf'),
          "one\na=1\n# BEGIN kapsule-egress: ours\nit's $(touch /srv/t/pwned) \\n\n*\n# END kapsule-egress: ours\n",
        )
        assert.is(host.sh('stat -c "%a %U" /srv/t/conf').trim(), '640 proxy')
        assert.is(host.sh('cat /srv/t/new'), 'first\n')
      },
    )
    assert.equal(
      plan.map(it => `${it.action} ${it.name}`),
      [
        'update line "a=1" in /srv/t/conf',
        'update line "b=2" in /srv/t/conf',
        'update block ours in /srv/t/conf',
        'create line "first" in /srv/t/new',
      ],
    )
    assert.match(plan[0]?.diff ?? '', /^-#a=0\n\+a=1$/m)
  })

  test(`${shell}: what others write into an edited file stays after an undo`, async () => {
    const want = {
      host: host.address,
      tasks: [{ task: 'line', path: '/srv/t/list', line: 'ours' }] satisfies Task[],
      handlers: {},
    }
    const was = (await hostPlay.read(want, { ssh }, quiet))!
    const now = await hostPlay.apply(want, { ssh }, was, quiet)
    host.sh('echo theirs >>/srv/t/list')
    for (const _ of [1, 2]) await hostPlay.undo!(want, { ssh }, was, now, quiet)
    assert.is(host.sh('cat /srv/t/list'), 'x\ntheirs\n')
  })

  test(`${shell}: a candidate that its check refuses changes nothing`, async () => {
    const there = snapshot()
    const error = await problemOf([
      { task: 'line', path: '/srv/t/fresh', line: 'made before' },
      { task: 'line', path: '/srv/t/conf', line: 'bad', check: 'if grep -q bad {}; then echo no bad lines; false; fi' },
    ])
    assert.match(String(error), /line "bad" in \/srv\/t\/conf failed; the host is as it was before/)
    assert.match((error as { why: string }).why, /no bad lines/)
    assert.is(snapshot(), there)
  })

  test(`${shell}: directories have exactly their mode, whatever their parent hands down, and get back what they had`, async () => {
    host.sh('cd /srv/t; mkdir -p set team; chmod 6777 set; chgrp games team; chmod 2775 team')
    const rights = { owner: 'root', group: 'root' }
    await round(
      [
        { task: 'directory', path: '/srv/t/set', mode: '0755', ...rights },
        { task: 'directory', path: '/srv/t/dir', mode: '2750', ...rights },
        { task: 'directory', path: '/srv/t/team/ours', mode: '750', ...rights },
      ],
      () => assert.is(host.sh('cd /srv/t; stat -c %a set dir team/ours'), '755\n2750\n750\n'),
    )
  })

  test(`${shell}: lines that end as on Windows give way and come back`, async () => {
    host.sh("cd /srv/t; printf 'a=1\\r\\nb=2\\r\\n' >crlf")
    await round([{ task: 'line', path: '/srv/t/crlf', line: 'a=2', replaces: ['a='] }], () =>
      assert.is(host.sh('cat /srv/t/crlf'), 'a=2\nb=2\r\n'),
    )
  })

  test(`${shell}: what finds no room leaves no candidate behind`, async () => {
    const small = '/srv/t/dir'
    const files: Task[] = [
      { task: 'file', path: `${small}/f`, content: 'x'.repeat(200_000), mode: '0600', owner: 'root', group: 'root' },
      { task: 'line', path: `${small}/l`, line: 'x'.repeat(200_000) },
    ]
    host.sh(`mount -t tmpfs -o size=64k,mode=755 tmpfs ${small}`)
    try {
      for (const task of files) {
        const { why } = (await problemOf([task])) as { why: string }
        assert.match(why, /No space left|I\/O error/i)
        assert.is(host.sh(`ls -A ${small}`), '')
      }
    } finally {
      host.sh(`umount ${small}`)
    }
  })

  test(`${shell}: links that hold any byte come back as they were`, async () => {
    host.sh(`cd /srv/t; ln -sfn "$(printf 'caf\\351.x')" latin; t=$(printf '\\351\\n\\nx'); ln -sfn "\${t%x}" lines`)
    await round([
      { task: 'symlink', path: '/srv/t/latin', to: 'other' },
      { task: 'absent', path: '/srv/t/lines' },
      { task: 'symlink', path: '/srv/t/broken', to: 'two\nlines\n' },
    ])
    assert.is(
      host.sh('readlink -n /srv/t/latin | od -An -c; readlink -n /srv/t/lines | od -An -c'),
      '   c   a   f 351   .   x\n 351  \\n  \\n\n',
    )
  })

  test(`${shell}: links are made, turned and taken back; files and links go and come back`, async () => {
    const plan = await round(
      [
        { task: 'symlink', path: '/srv/t/link', to: "two 'words'" },
        { task: 'symlink', path: '/srv/t/fresh-link', to: '/srv/t/conf' },
        { task: 'absent', path: '/srv/t/old' },
        { task: 'absent', path: '/srv/t/stale' },
        { task: 'absent', path: '/srv/t/never' },
      ],
      () => {
        assert.is(host.sh('readlink /srv/t/link'), "two 'words'\n")
        assert.is(host.sh('cd /srv/t; ls -d old stale never 2>/dev/null || :'), '')
      },
    )
    assert.equal(
      plan.map(it => `${it.action} ${it.name}: ${it.diff}`),
      [
        "update link /srv/t/link: to: one -> two 'words'",
        'create link /srv/t/fresh-link: -> /srv/t/conf',
        'delete no /srv/t/old: is there: a file',
        'delete no /srv/t/stale: is there: a link',
      ],
    )
  })

  test(`${shell}: what is in the way is named, and left`, async () => {
    const there = snapshot()
    for (const task of [
      { task: 'symlink', path: '/srv/t/conf', to: 'x' },
      { task: 'line', path: '/srv/t/link', line: 'x' },
      { task: 'absent', path: '/srv/t/dir' },
    ] satisfies Task[])
      assert.match(((await problemOf([task])) as { why: string }).why, /is not a link|something else|neither a file/)
    assert.is(snapshot(), there)
  })

  test(`${shell}: a command runs when it is due, by creates, unless or changedWhen`, async () => {
    const plan = await round(
      [
        { task: 'command', name: 'made', run: 'echo 1 >/srv/t/made', creates: '/srv/t/made', undo: 'rm /srv/t/made' },
        { task: 'command', name: 'there', run: 'echo 1 >>/srv/t/conf', creates: '/srv/t/conf' },
        { task: 'command', name: 'kept', run: 'echo 1 >>/srv/t/conf', unless: 'true' },
        {
          task: 'command',
          name: 'due',
          run: 'touch /srv/t/due',
          changedWhen: 'test ! -e /srv/t/due',
          undo: 'rm /srv/t/due',
        },
        { task: 'command', name: 'not due', run: 'echo 1 >>/srv/t/conf', changedWhen: 'false' },
      ],
      () => assert.is(host.sh('cat /srv/t/made; ls /srv/t/due'), '1\n/srv/t/due\n'),
    )
    assert.equal(
      plan.map(it => it.name),
      ['command made', 'command due'],
    )
  })
}
