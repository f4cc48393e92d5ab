import { createHash } from 'node:crypto'
import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { bundleScript } from '../../src/hosts/bundle.ts'
import { lookScript, parseLook } from '../../src/hosts/exchange.ts'
import { hostPlay } from '../../src/hosts/play.ts'
import { kindOf, type Task } from '../../src/hosts/tasks/all.ts'
import type { TimerTask } from '../../src/hosts/tasks/timer-units.ts'
import { argument, unitsOf } from '../../src/hosts/tasks/timer-units.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('task kinds')

const sha = (text: string) => createHash('sha256').update(text).digest('hex')
const b64 = (text: string) => Buffer.from(text).toString('base64')
const file: Task = { task: 'file', path: '/etc/x', content: 'one\ntwo\n', mode: '0644', owner: 'root', group: 'root' }
const seenFile = (text: string, rights = 'mode 644\nowner root\ngroup root') =>
  `type file\n${rights}\nsha256 ${sha(text)}\ncontent ${b64(text)}\n`
const directory: Task = { task: 'directory', path: '/etc/d', mode: '0750', owner: 'root', group: 'proxy' }
const squid: Task = { task: 'package', name: 'squid' }
const service: Task = { task: 'service', name: 'squid', running: true, enabled: true }
const command: Task = { task: 'command', name: 'c', run: 'touch /x', unless: 'test -e /x' }

const table: { when: string; task: Task; output: string; action: string | undefined; says?: RegExp }[] = [
  { when: 'file: the same', task: file, output: seenFile('one\ntwo\n'), action: undefined },
  { when: 'file: absent', task: file, output: 'type absent\n', action: 'create', says: /\+one\n\+two/ },
  { when: 'file: another line', task: file, output: seenFile('one\n2\n'), action: 'update', says: /-2\n\+two/ },
  { when: 'file: empty', task: file, output: seenFile(''), action: 'update', says: /\+one/ },
  {
    when: 'file: mode',
    task: file,
    output: seenFile('one\ntwo\n', 'mode 600\nowner root\ngroup root'),
    action: 'update',
    says: /^mode: 0600 -> 0644$/,
  },
  {
    when: 'file: owner',
    task: file,
    output: seenFile('one\ntwo\n', 'mode 644\nowner proxy\ngroup root'),
    action: 'update',
    says: /^owner: proxy -> root$/,
  },
  {
    when: 'file: too large to travel',
    task: file,
    output: `type file\nmode 644\nowner root\ngroup root\nsha256 ${sha('big')}\n`,
    action: 'update',
    says: /^sha256: /,
  },
  { when: 'file: a link', task: file, output: 'type other\n', action: 'update', says: /link/ },
  {
    when: 'directory: the same',
    task: directory,
    output: 'type directory\nmode 750\nowner root\ngroup proxy\n',
    action: undefined,
  },
  { when: 'directory: absent', task: directory, output: 'type absent\n', action: 'create' },
  {
    when: 'directory: group',
    task: directory,
    output: 'type directory\nmode 750\nowner root\ngroup root\n',
    action: 'update',
    says: /^group: root -> proxy$/,
  },
  { when: 'service: as wanted', task: service, output: 'running yes\nenabled yes\n', action: undefined },
  {
    when: 'service: down',
    task: service,
    output: 'running no\nenabled yes\n',
    action: 'update',
    says: /^running: no -> yes$/,
  },
  {
    when: 'service: not after a boot',
    task: service,
    output: 'running yes\nenabled no\n',
    action: 'update',
    says: /^enabled: no -> yes$/,
  },
  { when: 'command: done', task: command, output: 'done yes\n', action: undefined },
  { when: 'command: to do', task: command, output: 'done no\n', action: 'update' },
]

const user: Task = { task: 'user', name: 'eva', uid: 1500, groups: ['adm', 'audio'], shell: '/bin/sh', locked: false }
const group: Task = { task: 'group', name: 'ops', gid: 1600 }
const blob = 'AAAAC3NzaC1lZDI1NTE5AAAAI'.padEnd(68, 'x')
const key: Task = { task: 'authorizedKey', user: 'eva', key: `ssh-ed25519 ${blob} eva@home` }
const sysctl: Task = { task: 'sysctl', name: 'net.ipv4.conf.eth0/7.forwarding', value: '1' }
const sysctlLine = 'net.ipv4.conf.eth0/7.forwarding = 1\n'
const fetch: Task = { ...directory, task: 'fetch', path: '/x', url: 'https://a.test/x', sha256: sha('x') }
const line: Task = { task: 'line', path: '/etc/x', line: 'one' }
const link: Task = { task: 'symlink', path: '/l', to: 'there' }

const timer: TimerTask = { task: 'timer', name: 't', calendar: 'Mon..Fri 03:30', run: 'date +%F' }
const { service: unit, timer: its } = unitsOf(timer)

table.push(
  { when: 'line: there', task: line, output: seenFile('zero\none\n'), action: undefined },
  { when: 'line: no file', task: line, output: 'type absent\n', action: 'create', says: /\+one/ },
  { when: 'line: a link', task: line, output: 'type other\n', action: 'update', says: /^not edited: a link/ },
  { when: 'line: not text', task: line, output: seenFile('a\0b'), action: 'update', says: /^not edited: .*UTF-8/ },
  {
    when: 'block: cut off',
    task: { task: 'block', path: '/x', name: 'b', lines: [] },
    output: seenFile('# BEGIN kapsule-egress: b\n'),
    action: 'update',
    says: /^not edited: a block .* no end/,
  },
  { when: 'link: the same', task: link, output: `type link\nto ${b64('there')}\n`, action: undefined },
  { when: 'link: turned', task: link, output: `type link\nto ${b64('a b')}\n`, action: 'update', says: /a b -> there/ },
  { when: 'link: a file is there', task: link, output: 'type other\n', action: 'update', says: /move it away/ },
  {
    when: 'absent: so',
    task: { task: 'absent', path: '/x' },
    output: 'type absent\nKE and the link\ntype absent\n',
    action: undefined,
  },
  {
    when: 'absent: a file',
    task: { task: 'absent', path: '/x' },
    output: `${seenFile('')}KE and the link\ntype other\n`,
    action: 'delete',
  },
  { when: 'user: absent', task: user, output: '', action: 'create', says: /^-u 1500 -G adm,audio -s \/bin\/sh$/ },
  {
    when: 'user: as wanted',
    task: user,
    output: 'passwd eva:x:1500:1500::/home/eva:/bin/sh\ngroup eva\ngroups eva audio other adm\nexpires \n',
    action: undefined,
  },
  {
    when: 'user: locked, in one group',
    task: user,
    output: 'passwd eva:x:1500:1500::/home/eva:/bin/sh\ngroup eva\ngroups eva adm\nexpires 1\n',
    action: 'update',
    says: /^groups: adm -> adm,audio\nexpires: 1 -> none$/,
  },
  { when: 'group: absent', task: group, output: '', action: 'create', says: /^gid: 1600$/ },
  { when: 'group: there', task: group, output: 'group ops:x:1600:eva,old\n', action: undefined },
  {
    when: 'group: another number',
    task: group,
    output: 'group ops:x:7:\n',
    action: 'update',
    says: /^gid: 7 -> 1600$/,
  },
  { when: 'key: no user yet', task: key, output: '', action: 'create', says: /\+ssh-ed25519/ },
  {
    when: 'key: there',
    task: key,
    output: `folder directory\n${seenFile(`ssh-ed25519 ${blob} eva@home\n`)}`,
    action: undefined,
  },
  {
    when: 'key: another comment',
    task: key,
    output: `folder directory\n${seenFile(`ssh-rsa ${blob} x\n`)}`,
    action: 'update',
  },
  {
    when: 'key: ~/.ssh is a link',
    task: key,
    output: 'folder other\ntype absent\n',
    action: 'update',
    says: /not a directory/,
  },
  { when: 'sysctl: as wanted', task: sysctl, output: `live ${b64('1')}\n${seenFile(sysctlLine)}`, action: undefined },
  {
    when: 'sysctl: now',
    task: sysctl,
    output: `live ${b64('0')}\n${seenFile(sysctlLine)}`,
    action: 'update',
    says: /^now: 0 -> 1$/,
  },
  {
    when: 'sysctl: after a boot',
    task: sysctl,
    output: `live ${b64('1')}\ntype absent\n`,
    action: 'create',
    says: /^after a boot/,
  },
  { when: 'sysctl: unknown', task: sysctl, output: 'type absent\n', action: 'create', says: /no such setting/ },
  { when: 'fetch: absent', task: fetch, output: 'type absent\n', action: 'create', says: /from: https:\/\/a\.test/ },
  {
    when: 'fetch: there, other rights',
    task: fetch,
    output: `type file\nmode 750\nowner root\ngroup root\nsha256 ${sha('x')}\n`,
    action: 'update',
    says: /^group: root -> proxy$/,
  },
  { when: 'port: open', task: { task: 'port', port: 22 }, output: 'open yes\n', action: undefined },
  { when: 'port: closed', task: { task: 'port', port: 22 }, output: 'open no\n', action: 'update' },
  {
    when: 'cron: absent',
    task: { task: 'cron', name: 'c', schedule: '@daily', run: 'x' },
    output: 'type absent\n',
    action: 'create',
    says: /^\+@daily root x$/m,
  },
  {
    when: 'timer: absent',
    task: timer,
    output: 'systemd yes\ntype absent\nKE and the timer\ntype absent\n',
    action: 'create',
    says: /^\+ExecStart=\/bin\/sh -c "date \+%%F"\n.*^\+OnCalendar=Mon\.\.Fri 03:30$.*^running: no -> yes\nenabled: no -> yes$/ms,
  },
  {
    when: 'timer: as wanted',
    task: timer,
    output: `systemd yes\nrunning yes\nenabled yes\n${seenFile(unit.content)}KE and the timer\n${seenFile(its.content)}`,
    action: undefined,
  },
  {
    when: 'timer: stopped',
    task: timer,
    output: `systemd yes\nenabled yes\n${seenFile(unit.content)}KE and the timer\n${seenFile(its.content)}`,
    action: 'update',
    says: /^running: no -> yes$/,
  },
  {
    when: 'timer: another time',
    task: timer,
    output: `systemd yes\nrunning yes\nenabled yes\n${seenFile(unit.content)}KE and the timer\n${seenFile(its.content.replace('03', '04'))}`,
    action: 'update',
    says: /^-OnCalendar=Mon\.\.Fri 04:30\n\+OnCalendar=Mon\.\.Fri 03:30$/m,
  },
  {
    when: 'directory: the number of an owner who has a name',
    task: { ...directory, owner: '1', group: '13' } as Task,
    output: 'type directory\nmode 750\nowner daemon 1\ngroup proxy 13\n',
    action: undefined,
  },
  {
    when: 'directory: another number',
    task: { ...directory, owner: '2' } as Task,
    output: 'type directory\nmode 750\nowner daemon 1\ngroup proxy 13\n',
    action: 'update',
    says: /^owner: daemon -> 2$/,
  },
  {
    when: 'user: the number of a group that has a name',
    task: { task: 'user', name: 'eva', group: '100' },
    output: 'passwd eva:x:1500:100::/home/eva:/bin/sh\ngroup users\ngroups users\nexpires \n',
    action: undefined,
  },
  {
    when: 'sysctl: another way to write a number',
    task: { ...sysctl, value: '0x1f  017' } as Task,
    output: `live ${b64('31\t15')}\n${seenFile('net.ipv4.conf.eth0/7.forwarding = 0x1f 017\n')}`,
    action: undefined,
  },
  { when: 'timer: no systemd', task: timer, output: 'type absent\n', action: 'update', says: /use a cron task/ },
)

for (const { when, task } of [
  { when: 'a private key as a public one', task: { ...key, key: '-----BEGIN OPENSSH PRIVATE KEY-----' } },
  { when: 'a user with a blank', task: { ...user, name: 'eva x' } },
  { when: 'a group that is sh', task: { ...group, name: 'x;reboot' } },
  { when: 'a sysctl that leaves its folder', task: { ...sysctl, name: '../../etc/passwd' } },
  { when: 'a sysctl of two lines', task: { ...sysctl, value: '1\n2' } },
  { when: 'a sysctl without a value', task: { ...sysctl, value: ' ' } },
  ...[
    '99 99 * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * * 8',
    '5-1 * * * *',
    '*/0 * * * *',
    '1,, * * * *',
    '* * * foo *',
  ].map(it => ({ when: `the cron schedule ${it}`, task: { task: 'cron', name: 'c', schedule: it, run: 'x' } })),
  { when: 'a cron job that runs nothing', task: { task: 'cron', name: 'c', schedule: '@daily', run: ' ' } },
  { when: 'a cron schedule of four fields', task: { task: 'cron', name: 'c', schedule: '* * * *', run: 'x' } },
  { when: 'a cron name that cron skips', task: { task: 'cron', name: 'c.d', schedule: '@daily', run: 'x' } },
  { when: 'a cron command of two lines', task: { task: 'cron', name: 'c', schedule: '@daily', run: 'x\ny' } },
  { when: 'a calendar of two lines', task: { ...timer, calendar: 'daily\nUnit=x' } },
  { when: 'a timer for a user that is none', task: { ...timer, user: 'root\nUser=x' } },
  { when: 'a timer whose command is two lines', task: { ...timer, run: 'x\nUser=root' } },
  { when: 'an address with a password', task: { ...fetch, url: 'https://u:secret@a.test/' } },
  { when: 'a fetch without a hash', task: { ...fetch, sha256: '' } },
  { when: 'a port beyond all', task: { task: 'port', port: 70000 } },
  { when: 'a host that is sh', task: { task: 'port', port: 1, host: '$(x)' } },
  { when: 'a command that would always run', task: { task: 'command', name: 'c', run: 'x' } },
] as { when: string; task: Task }[])
  test(`refused before anything is sent: ${when}`, () => {
    const kind = kindOf(task)
    let thrown: unknown
    try {
      kind.title(task)
      kind.look(task)
      kind.diff(task, kind.parse('type absent\n'))
      kind.change(task, kind.parse('type absent\n'))
    } catch (error) {
      thrown = error
    }
    assert.instance(thrown, Problem)
    assert.is((thrown as Problem).exit, 2)
    const said = `${(thrown as Problem).message} ${(thrown as Problem).why}`
    assert.not.match(said, /PRIVATE|secret/)
  })

for (const { when, task, output, action, says } of table)
  test(when, () => {
    const kind = kindOf(task)
    const detail = kind.diff(task, kind.parse(output, task))
    assert.is(detail?.action, action)
    if (says) assert.match(detail?.diff ?? '', says)
  })

const refusedCron = (schedule: string): Problem | null => {
  const task: Task = { task: 'cron', name: 'c', schedule, run: 'x' }
  try {
    kindOf(task).look(task)
    return null
  } catch (error) {
    return error as Problem
  }
}

test('cron schedules that there are', () => {
  for (const schedule of ['*/5 0-23/2 1,15 Jan-mar Mon', '0 4 * * 1-5,7', '59 23 31 12 0', '@reboot'])
    assert.equal(refusedCron(schedule), null)
})

test('with a slash first, slashes part the words of a kernel setting', () => {
  const look = (name: string) => kindOf(sysctl).look({ ...sysctl, name } as Task)
  assert.match(look('net/ipv4/conf/eth0.7/forwarding'), /\/proc\/sys\/net\/ipv4\/conf\/eth0\.7\/forwarding/)
  assert.match(look('net.ipv4.conf.eth0/7.forwarding'), /\/proc\/sys\/net\/ipv4\/conf\/eth0\.7\/forwarding/)
})

const installed = { manager: 'apt', name: 'squid', installed: true, version: '1', held: false }

test('frames come back as states, and a cut answer is no answer', () => {
  const tasks = [squid, service]
  const answer =
    'KE-1 pending\nreload\nKE-1 0\nmanager apt\nname squid\nwant install\nstatus installed\nversion 1\nKE-1 1\nrunning yes\nenabled no\nKE-1 end\n'
  assert.equal(parseLook(tasks, 'KE-1', answer), {
    states: { 'package squid': installed, 'service squid': { running: true, enabled: false } },
    pending: ['reload'],
  })
  for (let end = 0; end < answer.length - 1; end++) assert.is(parseLook(tasks, 'KE-1', answer.slice(0, end)), null)
  assert.match(lookScript(tasks, 'KE-1'), /dpkg-query/)
})

test('a script with hostile content is still the same commands', () => {
  const task: Task = { ...file, content: "B64\n'; touch /pwned; $(touch /pwned) `x` \\ \0" }
  const kind = kindOf(task)
  const run = kind.change(task, kind.parse('type absent'))
  const script = bundleScript(
    { steps: [{ title: 'x', run, back: ':', notify: ["it's"], live: false, guard: null }], handlers: {} },
    { mark: 'M', run: 'R' },
  )
  assert.not.match(script, /pwned/)
  assert.match(script, /note 'it'\\''s'/)
})

for (const [text, is] of [
  ['a b', '"a b"'],
  [`echo "x" 'y'`, `"echo \\"x\\" 'y'"`],
  ['date +%F', '"date +%%F"'],
  ['echo $HOME \\n', '"echo $$HOME \\\\n"'],
  ['a\tb', '"a\\tb"'],
] as const)
  test(`an argument for systemd: ${text}`, () => assert.is(argument(text), is))

test('a handler that is owed is a difference', () => {
  const want = {
    host: { name: 'h', address: '192.0.2.1', port: 22, user: 'root', hostKey: '', identity: '' },
    tasks: [squid],
    handlers: { reload: ':' },
  }
  const states = { 'package squid': installed }
  assert.is(hostPlay.diff(want, { states, pending: [] }), null)
  assert.is(hostPlay.diff(want, { states, pending: ['of another play'] }), null)
  assert.is(hostPlay.diff(want, { states, pending: ['reload'] })?.details?.[0]?.name, 'handler reload')
})

test('handlers that will run are told, and are no differences', () => {
  const want = {
    host: { name: 'h', address: '192.0.2.1', port: 22, user: 'root', hostKey: '', identity: '' },
    tasks: [{ ...file, notify: ['second', 'first'] }],
    handlers: { first: ':', second: ':', third: ':' },
  }
  const absent = { type: 'absent', sha256: '', content: null, mode: '', owner: '', group: '' }
  const change = hostPlay.diff(want, { states: { [file.path]: absent }, pending: ['second'] })
  assert.is(change?.summary, 'h: 2 differences')
  assert.equal(
    change?.details?.slice(1).map(it => `${it.name}: ${it.diff}`),
    [
      `handler first: follows ${file.path}`,
      'handler second: an earlier run changed what it follows, and ended before it ran',
    ],
  )
})

test('an owner without a name is known by the number, as it has to be given back', () => {
  const seen = kindOf(file).parse(seenFile('one\ntwo\n', 'mode 644\nowner UNKNOWN 12345\ngroup UNKNOWN 54321'))
  assert.match(kindOf(file).restore(file, seen), /^chown -- 12345:54321 /m)
  const named = kindOf(file).parse(seenFile('one\ntwo\n', 'mode 644\nowner root 0\ngroup root 0'))
  assert.is(kindOf(file).diff(file, named), null)
})
