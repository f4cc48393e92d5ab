import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { hostPlay } from '../../src/hosts/play.ts'
import type { Ssh } from '../../src/hosts/ssh.ts'
import type { Task } from '../../src/hosts/tasks/all.ts'
import { file, problem, quiet } from '../support/plays.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('words of a task that no host could have')

const address = { name: 'h', address: '192.0.2.1', port: 22, user: 'root', hostKey: '', identity: '' }
const nobody = { exec: () => assert.unreachable('the host heard of it') } as unknown as Ssh
const refused = async (task: Task): Promise<Problem> =>
  problem(Promise.resolve(hostPlay.read({ host: address, tasks: [task], handlers: {} }, { ssh: nobody }, quiet)))

for (const [path, why] of [
  ['etc/motd', /does not begin with/],
  ['', /does not begin with/],
  ['/srv/', /another way to write \/srv$/],
  ['/etc//ssh/sshd_config', /another way to write \/etc\/ssh\/sshd_config/],
  ['/srv/../etc/ssh/sshd_config', /another way to write \/etc\/ssh\/sshd_config/],
  ['/etc/./motd', /another way to write/],
  ['/srv/a\0b', /NUL byte/],
] as [string, RegExp][])
  test(`the path ${JSON.stringify(path)} is refused before the host hears of it`, async () => {
    for (const task of [
      file(path, 'x'),
      { task: 'line', path, line: 'x' },
      { task: 'symlink', path, to: 'x' },
      { task: 'directory', path, mode: '0755', owner: 'root', group: 'root' },
    ] satisfies Task[]) {
      const { exit, why: said } = await refused(task)
      assert.is(exit, 2)
      assert.match(said, why)
    }
  })

for (const more of [{ mode: 'u+x' }, { mode: '0999' }, { mode: '' }, { owner: 'a:b' }, { group: '' }, { owner: '-R' }])
  test(`the right ${JSON.stringify(more)} is refused`, async () => {
    assert.is((await refused(file('/srv/x', 'x', more))).exit, 2)
  })

for (const more of [
  { retries: 1.5 },
  { retries: -1 },
  { retries: Number.NaN },
  { delaySeconds: Number.NaN },
  { timeoutSeconds: 0 },
  { confirmSeconds: Number.POSITIVE_INFINITY },
])
  test(`${Object.entries(more)} is refused, for it would never be over`, async () => {
    assert.is((await refused({ ...file('/srv/x', 'x'), ...more })).exit, 2)
  })

test('sudo cannot be taken away by those who become root by it', async () => {
  for (const task of [
    { task: 'package', name: 'sudo', present: false },
    { task: 'package', name: 'doas', insteadOf: 'sudo' },
  ] satisfies Task[]) {
    const look = (user: string) =>
      hostPlay.read({ host: { ...address, user }, tasks: [task], handlers: {} }, { ssh: nobody }, quiet)
    const { exit, message } = await problem(look('ops'))
    assert.is(exit, 2)
    assert.match(message, /sudo cannot be taken away/)
    assert.not.instance(await look('root').catch(it => it), Problem)
  }
})

test('a handler that the play does not have is refused', async () => {
  const want = { host: address, tasks: [file('/srv/x', 'x', { notify: ['relaod'] })], handlers: { reload: ':' } }
  const thrown = await hostPlay.read(want, { ssh: nobody }, quiet).then(
    () => null,
    (error: Error) => error,
  )
  assert.match(thrown?.message ?? '', /no handler relaod, which \/srv\/x notifies/)
})

test('two tasks that say what one path is are refused', async () => {
  for (const other of [
    { task: 'line', path: '/srv/x', line: 'y' },
    { task: 'absent', path: '/srv/x' },
    { task: 'symlink', path: '/srv/x', to: 'y' },
  ] satisfies Task[])
    for (const tasks of [
      [file('/srv/x', 'x'), other],
      [other, file('/srv/x', 'x')],
    ]) {
      const read = hostPlay.read({ host: address, tasks, handlers: {} }, { ssh: nobody }, quiet)
      assert.match((await problem(read)).why, /neither would hold/)
    }
})

test('odd paths that a host can have are taken', async () => {
  for (const path of ["/srv/$(x) 'a' \\b *", '/-rf/--help', '/srv/..a/b..', '/srv/caf\u00e9', '/srv/br\neak'])
    assert.not.instance(await refused(file(path, 'x')).catch(it => it), Problem)
})
