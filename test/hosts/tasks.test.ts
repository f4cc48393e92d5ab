import { createHash } from 'node:crypto'
import * as assert from 'uvu/assert'
import { bundleScript } from '../../src/hosts/bundle.ts'
import { lookScript, parseLook } from '../../src/hosts/exchange.ts'
import { hostPlay } from '../../src/hosts/play.ts'
import { kindOf, type Task } from '../../src/hosts/tasks/all.ts'
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
  { when: 'package: installed', task: squid, output: 'status installed\nversion 5.7-2\n', action: undefined },
  { when: 'package: unknown', task: squid, output: '', action: 'create' },
  {
    when: 'package: removed, its files left',
    task: squid,
    output: 'status config-files\nversion 5.7-2\n',
    action: 'create',
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

for (const { when, task, output, action, says } of table)
  test(when, () => {
    const kind = kindOf(task)
    const detail = kind.diff(task, kind.parse(output))
    assert.is(detail?.action, action)
    if (says) assert.match(detail?.diff ?? '', says)
  })

test('frames come back as states, and a cut answer is no answer', () => {
  const tasks = [squid, service]
  const answer =
    'KE-1 pending\nreload\nKE-1 0\nstatus installed\nversion 1\nKE-1 1\nrunning yes\nenabled no\nKE-1 end\n'
  assert.equal(parseLook(tasks, 'KE-1', answer), {
    states: { 'package squid': { installed: true, version: '1' }, 'service squid': { running: true, enabled: false } },
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

test('a handler that is owed is a difference', () => {
  const want = {
    host: { name: 'h', address: '192.0.2.1', port: 22, user: 'root', hostKey: '', identity: '' },
    tasks: [squid],
    handlers: { reload: ':' },
  }
  const states = { 'package squid': { installed: true, version: '1' } }
  assert.is(hostPlay.diff(want, { states, pending: [] }), null)
  assert.is(hostPlay.diff(want, { states, pending: ['of another play'] }), null)
  assert.is(hostPlay.diff(want, { states, pending: ['reload'] })?.details?.[0]?.name, 'handler reload')
})
