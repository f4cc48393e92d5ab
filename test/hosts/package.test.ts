import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { type PackageTask, packageTask } from '../../src/hosts/tasks/package.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('packages')

const squid: PackageTask = { task: 'package', name: 'squid' }
const apt = (status: string, version = '5.7-2', want = 'install') =>
  `manager apt\nname squid\nwant ${want}\nstatus ${status}\nversion ${version}\n`
const rpm = (manager: string, lock = '') =>
  `manager ${manager}\nname squid\nstatus installed\nversion 5.5-6.el9\n${lock && `lock ${lock}\n`}`

const table: { when: string; more?: Partial<PackageTask>; output: string; action?: string; diff?: string }[] = [
  { when: 'installed', output: apt('installed') },
  { when: 'unknown', output: 'manager apt\nname squid\n', action: 'create', diff: 'not installed -> installed' },
  {
    when: 'removed, its files left',
    output: apt('config-files'),
    action: 'create',
    diff: 'not installed -> installed',
  },
  {
    when: 'no manager',
    output: 'manager none\nname squid\n',
    action: 'update',
    diff: 'none of apt, dnf and zypper is on this host',
  },
  {
    when: 'another that will do',
    more: { or: 'squid-openssl' },
    output: 'manager apt\nname squid\nother squid-openssl\n',
  },
  {
    when: 'in the place of another',
    more: { insteadOf: 'squid3' },
    output: 'manager apt\nname squid\nother squid3\n',
    action: 'create',
    diff: 'not installed -> installed, and squid3 leaves for it: its service restarts, what is open ends',
  },
  {
    when: 'in the place of another that is not there',
    more: { insteadOf: 'squid3' },
    output: 'manager apt\nname squid\n',
    action: 'create',
    diff: 'not installed -> installed',
  },
  { when: 'at its version', more: { version: '5.7-2' }, output: apt('installed') },
  { when: 'in its versions', more: { version: '5.7*' }, output: apt('installed') },
  {
    when: 'another version',
    more: { version: '5.8*' },
    output: apt('installed'),
    action: 'update',
    diff: 'version: 5.7-2 -> 5.8*',
  },
  {
    when: 'absent, with a version and a hold',
    more: { version: '5.8*', hold: true },
    output: 'manager apt\nname squid\n',
    action: 'create',
    diff: 'not installed -> installed 5.8*\nheld: no -> yes',
  },
  { when: 'held by others, nobody minds', output: apt('installed', '1', 'hold') },
  {
    when: 'held, and to be open',
    more: { hold: false },
    output: apt('installed', '1', 'hold'),
    action: 'update',
    diff: 'held: yes -> no',
  },
  {
    when: 'installed, and to go',
    more: { present: false },
    output: apt('installed'),
    action: 'delete',
    diff: '5.7-2 -> removed',
  },
  { when: 'gone', more: { present: false }, output: apt('not-installed') },
  { when: 'dnf: installed', output: rpm('dnf') },
  { when: 'dnf: held', more: { hold: true }, output: rpm('dnf', 'squid-7:5.5-6.el9.*') },
  { when: 'dnf 5: held', more: { hold: true }, output: rpm('dnf', 'Package name: squid') },
  {
    when: 'dnf: another is held',
    more: { hold: true },
    output: rpm('dnf', 'squid-extras-7:5.5-6.el9.*'),
    action: 'update',
    diff: 'held: no -> yes',
  },
  { when: 'zypper: held', more: { hold: true }, output: rpm('zypper', '1 | squid | package | (any)') },
  {
    when: 'zypper: not held',
    more: { hold: true },
    output: rpm('zypper', 'There are no package locks defined.'),
    action: 'update',
    diff: 'held: no -> yes',
  },
]

for (const { when, more, output, action, diff } of table)
  test(when, () => {
    const detail = packageTask.diff({ ...squid, ...more }, packageTask.parse(output))
    assert.is(detail?.action, action)
    assert.is(detail?.diff, diff)
  })

for (const { when, more } of [
  { when: 'an option as a name', more: { name: '-y' } },
  { when: 'sh as a name elsewhere', more: { names: { dnf: 'a;b' } } },
  { when: 'sh as a version', more: { version: '$(x)' } },
  { when: 'an SSH server that goes', more: { name: 'openssh-server', present: false } },
  { when: 'one of another name that goes', more: { names: { suse: 'openssh' }, present: false } },
  { when: 'one that another takes the place of', more: { insteadOf: 'openssh-server' } },
])
  test(`refused before anything is sent: ${when}`, () => {
    let thrown: unknown
    try {
      packageTask.look({ ...squid, ...more })
    } catch (error) {
      thrown = error
    }
    assert.instance(thrown, Problem)
    assert.is((thrown as Problem).exit, 2)
  })

test('what undo has to give back: pins, holds and removals, not what upgraded itself', () => {
  const [old, now] = [packageTask.parse(apt('installed', '1')), packageTask.parse(apt('installed', '2'))]
  const none = packageTask.parse('manager apt\nname squid\n')
  const same = (more: Partial<PackageTask>, before = old, after = now) =>
    packageTask.same(before, after, { ...squid, ...more })
  assert.is(same({}), true)
  assert.is(same({ version: '2' }), false)
  assert.is(same({}, none), true)
  assert.is(same({ undo: 'remove' }, none), false)
  assert.is(same({ present: false }, old, none), false)
  assert.is(same({}, old, none), true)
})
