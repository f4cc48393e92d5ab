import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { timezoneTask as kind, type TimezoneTask } from './example-kind.ts'

const { test } = suite('the task kind of docs/hosts.md')

const file = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const paris: TimezoneTask = { task: 'timezone', zone: 'Europe/Paris' }

test('the page shows the file that is tested here', () => {
  const shown = file('./example-kind.ts').replaceAll("'../../src/hosts/tasks/kind.ts'", "'./kind.ts'")
  assert.ok(file('../../docs/hosts.md').includes(shown.replaceAll("'../../src/hosts/shell.ts'", "'../shell.ts'")))
})

for (const { when, output, diff } of [
  { when: 'the same', output: 'to /usr/share/zoneinfo/Europe/Paris\n', diff: undefined },
  { when: 'another', output: 'to ../usr/share/zoneinfo/Etc/UTC\n', diff: 'Etc/UTC -> Europe/Paris' },
  { when: 'no link', output: 'to \n', diff: 'none -> Europe/Paris' },
])
  test(when, () => assert.is(kind.diff(paris, kind.parse(output))?.diff, diff))

test('there and back with a real shell', () => {
  const root = mkdtempSync(join(tmpdir(), 'zone-'))
  mkdirSync(join(root, 'etc'))
  mkdirSync(join(root, 'usr/share/zoneinfo/Europe'), { recursive: true })
  writeFileSync(join(root, 'usr/share/zoneinfo/Europe/Paris'), '')
  const sh = (script: string) =>
    execFileSync('sh', ['-es'], {
      input: script.replaceAll('/etc/', `${root}/etc/`).replaceAll('/usr/', `${root}/usr/`),
      encoding: 'utf8',
      stdio: 'pipe',
    })
  const look = () => kind.parse(sh(kind.look(paris)))
  const before = look()
  assert.equal(before, { zone: null })
  for (const _ of [1, 2]) sh(kind.change(paris, before))
  assert.equal(look(), { zone: 'Europe/Paris' })
  assert.match(readlinkSync(join(root, 'etc/localtime')), /zoneinfo\/Europe\/Paris$/)
  assert.throws(
    () => sh(kind.change({ ...paris, zone: '$(x)' }, before)),
    (error: { stdout: string }) => /there is no .*zoneinfo\/\$\(x\)/.test(error.stdout),
  )
  for (const _ of [1, 2]) sh(kind.restore(paris, before))
  assert.equal(look(), before)
  rmSync(root, { recursive: true })
})
