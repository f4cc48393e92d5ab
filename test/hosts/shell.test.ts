import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { writing } from '../../src/hosts/shell.ts'
import { suite } from '../support/suite.ts'

const { test, after } = suite('what a shell is told')

const dir = mkdtempSync(join(tmpdir(), 'kapsule-egress-shell-'))
after(() => rmSync(dir, { recursive: true }))
const target = join(dir, 'it')
const sh = (input: string) => execFileSync('sh', ['-e'], { input, stdio: ['pipe', 'pipe', 'pipe'] })

for (const size of [0, 1, 76, 65_536, 65_537, 1_000_000])
  test(`${size} bytes arrive as they are`, () => {
    const bytes = randomBytes(size)
    sh(writing(bytes, target))
    assert.ok(readFileSync(target).equals(bytes))
  })

test('many lines that are alike travel packed', () => {
  assert.ok(writing('allow\t.example.test\t443\t80\n'.repeat(100_000), target).length < 200_000)
})

test('what was cut on its way fails', () => {
  const lines = writing(randomBytes(70_000), target).split('\n')
  assert.throws(() => sh(lines.toSpliced(400, 300).join('\n')))
})
