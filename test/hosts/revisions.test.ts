import * as assert from 'uvu/assert'
import { parseRevisions, revisionTo } from '../../src/hosts/revisions.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('revisions of a policy')

const all = parseRevisions(`a 9-00000001 1795000000 report 3 no no
a 10-00000002 1795000060 enforce 4 yes no
a 11-00000003 1795000120 enforce 5 no yes
a 12-cut
`)

test('are numbered, not spelt', () => {
  assert.equal(
    all.map(it => `${it.revision} ${it.mode} ${it.rules} ${it.current} ${it.inForce}`),
    ['9-00000001 report 3 false false', '10-00000002 enforce 4 true false', '11-00000003 enforce 5 false true'],
  )
  assert.is(all[0]!.installed, '2026-11-18T11:06:40Z')
})

for (const { to, found } of [
  { to: 'previous', found: '9-00000001' },
  { to: '11', found: '11-00000003' },
  { to: '11-00000003', found: '11-00000003' },
  { to: '00000003', found: '11-00000003' },
  { to: '3', found: undefined },
  { to: '1', found: undefined },
])
  test(`${to} is ${found}`, () => assert.is(revisionTo(all, to)?.revision, found))
