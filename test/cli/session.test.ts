import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { parse } from '../../src/cli/flags.ts'
import type { Output } from '../../src/cli/output.ts'
import { withSession } from '../../src/cli/session.ts'
import { suite } from '../support/suite.ts'

const { test, after } = suite('cli: session')
const root = mkdtempSync(join(tmpdir(), 'session-'))
after(() => rmSync(root, { recursive: true }))
cpSync(join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'inventory'), join(root, 'inventory'), {
  recursive: true,
})
const file = join(root, 'inventory/sandbox/context.yaml')
writeFileSync(file, readFileSync(file, 'utf8').replace(/- \[node, .*\]/, '- ["false"]'))

const output = { json: true, know() {}, say() {}, event() {}, hide() {} } as unknown as Output

for (const { when, stopped, exit } of [
  { when: 'a command that prepares fails: exit 1', stopped: false, exit: 1 },
  { when: 'Ctrl-C reaches a command that prepares: exit 130', stopped: true, exit: 130 },
])
  test(when, async () => {
    const stop = new AbortController()
    if (stopped) stop.abort()
    const interrupt = { stop: stop.signal, abort: new AbortController().signal }
    const { flags } = parse('status', ['--context', 'sandbox'], {})
    const options = { command: 'status', flags, root, output, interrupt, writes: false }
    const problem = await withSession(options, async () => assert.unreachable('it was prepared')).catch(it => it)
    assert.is(problem.exit, exit, problem.message)
  })
