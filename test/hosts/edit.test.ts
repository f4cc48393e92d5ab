import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { blockTask } from '../../src/hosts/tasks/block.ts'
import { type Edit, edited, editing, inverse } from '../../src/hosts/tasks/edit.ts'
import { lineTask } from '../../src/hosts/tasks/line.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('edits of text files')

const line: Edit = { matches: [{ is: 'a=1' }, { starts: 'a=' }, { starts: '#a=' }], put: ['a=1'] }
const block: Edit = { matches: [{ is: '# BEGIN' }], until: '# END', put: ['# BEGIN', 'x', '# END'] }
const key: Edit = { matches: [{ has: ' AAAA' }], put: ['ssh-ed25519 AAAA me'] }
const noLine: Edit = { ...line, put: [] }

const table: { when: string; edit: Edit; from: string; to: string | null }[] = [
  { when: 'a line in an empty file', edit: line, from: '', to: 'a=1\n' },
  { when: 'a line is there', edit: line, from: 'x\na=1\ny\n', to: 'x\na=1\ny\n' },
  { when: 'a line in the place of another', edit: line, from: 'x\n#a=0\ny\n', to: 'x\na=1\ny\n' },
  { when: 'one line, where there were three', edit: line, from: 'a=0\ny\na=1\n#a=7\n', to: 'a=1\ny\n' },
  { when: 'a last line without an end', edit: line, from: 'x', to: 'x\na=1\n' },
  { when: 'only an empty line', edit: line, from: '\n', to: '\na=1\n' },
  { when: 'no such line', edit: noLine, from: 'a=0\nx\na=1\n', to: 'x\n' },
  { when: 'a new block', edit: block, from: 'x\n', to: 'x\n# BEGIN\nx\n# END\n' },
  { when: 'an old block', edit: block, from: '# BEGIN\nold\n\n# END\nz\n', to: '# BEGIN\nx\n# END\nz\n' },
  {
    when: 'a block that came twice',
    edit: block,
    from: '# BEGIN\n# END\nz\n# BEGIN\n# END\n',
    to: '# BEGIN\nx\n# END\nz\n',
  },
  { when: 'a block without an end', edit: block, from: '# BEGIN\nz\n', to: null },
  { when: 'a key with another comment', edit: key, from: 'no-pty ssh-ed25519 AAAA you\n', to: 'ssh-ed25519 AAAA me\n' },
]

for (const { when, edit, from, to } of table) test(when, () => assert.is(edited(from, edit)?.text ?? null, to))

for (const { when, edit, from, to } of table.filter(it => it.to !== null))
  test(`${when}: taken back, with what others wrote since`, () => {
    const sorted = (text: string) => text.split('\n').sort()
    const before = from === '' || from.endsWith('\n') ? from : `${from}\n`
    assert.equal(sorted(edited(`${to}of others\n`, inverse(edit, from))!.text), sorted(`${before}of others\n`))
  })

/** Seeded, so that a failure comes again. */
const random = (seed: number) => () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed / 2 ** 32
}

const hostile = [
  '\\',
  '\\n',
  "it's",
  '$(touch x)',
  '`x`',
  '*',
  '[a-z]',
  '?',
  '  lead',
  'trail  ',
  '\t',
  '-n',
  '-e',
  '%s',
  'ÁÂ\u0081é',
  '"',
  '',
  '🜚',
  'a=*',
  '#',
]

for (const shell of ['dash', 'bash'])
  test(`on the host, with ${shell}, an edit gives the same bytes as here`, () => {
    const dir = mkdtempSync(join(tmpdir(), 'edit-'))
    const next = random(7)
    const pick = <T>(from: T[]): T => from[Math.floor(next() * from.length)]!
    const some = (n: number) => Array.from({ length: Math.floor(next() * n) }, () => pick(hostile))
    const cases = Array.from({ length: 150 }, (_, n) => {
      const [begin, end] = [pick(hostile), `end ${pick(hostile)}`]
      const edit: Edit =
        n % 3 === 0
          ? { matches: [{ is: begin }], until: end, put: [begin, ...some(3), end] }
          : { matches: some(3).map(it => pick([{ is: it }, { starts: it }, { has: it }])), put: some(2) }
      const lines = [...some(6), ...(n % 3 === 0 && next() < 0.6 ? [begin, ...some(2), end] : []), ...some(3)]
      return { edit, text: lines.join('\n') + (next() < 0.8 && lines.length ? '\n' : '') }
    })
    const script = cases.map(
      ({ edit }, n) => `(p=${dir}/${n}; c=${dir}/${n}.new\n${editing(edit)}\n) || echo refused >${dir}/${n}.refused`,
    )
    for (const [n, { text }] of cases.entries()) writeFileSync(join(dir, String(n)), text)
    const PATH = process.env.PATH ?? ''
    execFileSync(shell, ['-s'], { input: script.join('\n'), env: { PATH, LC_ALL: 'C.UTF-8' } })
    let differ = 0
    for (const [n, { edit, text }] of cases.entries()) {
      const here = edited(text, edit)
      if (!here) assert.ok(readFileSync(join(dir, `${n}.refused`)))
      else assert.is(readFileSync(join(dir, `${n}.new`), 'utf8'), here.text, JSON.stringify({ edit, text }))
      if (here && here.text !== text) differ++
    }
    rmSync(dir, { recursive: true })
    assert.ok(differ > 50, `only ${differ} cases changed anything`)
  })

test('a line with a break is refused before anything is sent', () => {
  assert.throws(() => editing({ matches: [], put: ['a\nb'] }), /cannot be written/)
  assert.throws(() => lineTask.look({ task: 'line', path: '/x', line: 'a\nb' }), /cannot be written/)
})

test('a block that would not be found again as it was written is refused before anything is sent', () => {
  const block = { task: 'block', path: '/x', name: 'b' } as const
  for (const more of [
    { lines: ['a', '# END kapsule-egress: b', 'c'] },
    { lines: ['a\nb'] },
    { name: 'b\nc', lines: [] },
  ])
    assert.throws(() => blockTask.look({ ...block, ...more }), /cannot be written/)
  assert.ok(blockTask.look({ ...block, lines: ['# END kapsule-egress: c'] }))
})
