import * as assert from 'uvu/assert'
import type { BundleStep } from '../../src/hosts/bundle.ts'
import { guardPath } from '../../src/hosts/guard/zones.ts'
import { joined } from '../../src/hosts/joined.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('neighbours with one confirmation')

const step = (path: string, more: Partial<BundleStep> = {}): BundleStep => ({
  title: path,
  run: `change ${path}`,
  back: `restore ${path}`,
  notify: [],
  live: false,
  guard: guardPath(path),
  ...more,
})

for (const { when, steps, titles } of [
  {
    when: 'files of one zone',
    steps: [step('/etc/ufw/a'), step('/etc/default/ufw')],
    titles: ['/etc/ufw/a, /etc/default/ufw'],
  },
  { when: 'files of two zones', steps: [step('/etc/ufw/a'), step('/etc/ssh/b')], titles: ['/etc/ufw/a', '/etc/ssh/b'] },
  { when: 'no danger', steps: [step('/etc/a'), step('/etc/b')], titles: ['/etc/a', '/etc/b'] },
  {
    when: 'something else between',
    steps: [step('/etc/ufw/a'), step('/etc/b'), step('/etc/ufw/c')],
    titles: ['/etc/ufw/a', '/etc/b', '/etc/ufw/c'],
  },
  {
    when: 'other seconds to wait',
    steps: [step('/etc/ufw/a'), step('/etc/ufw/b', { guard: guardPath('/etc/ufw/b', 9) })],
    titles: ['/etc/ufw/a', '/etc/ufw/b'],
  },
  {
    when: 'a time limit of its own',
    steps: [step('/etc/ufw/a'), step('/etc/ufw/b', { timeoutSeconds: 5 })],
    titles: ['/etc/ufw/a', '/etc/ufw/b'],
  },
])
  test(when, () =>
    assert.equal(
      joined(steps).map(it => it.title),
      titles,
    ),
  )

test('goes in order, back in the opposite order, and notifies for all', () => {
  const [it] = joined([
    step('/etc/ufw/a', { notify: ['x'] }),
    step('/etc/ufw/b', { notify: ['x', 'y'], live: true }),
    step('/etc/ufw/c'),
  ])
  assert.is(it!.run, 'change /etc/ufw/a\nchange /etc/ufw/b\nchange /etc/ufw/c')
  assert.is(it!.back, 'restore /etc/ufw/c\nrestore /etc/ufw/b\nrestore /etc/ufw/a')
  assert.equal(it!.notify, ['x', 'y'])
  assert.is(it!.live, true)
})
