import fs, { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { parse } from '../../src/cli/flags.ts'
import type { Output } from '../../src/cli/output.ts'
import { withSession } from '../../src/cli/session.ts'
import { readJournals } from '../../src/engine/journal.ts'
import { Problem } from '../../src/engine/problem.ts'
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

for (const { when, note, exit, runs } of [
  { when: 'a mistake in what was typed, found before anything was noted, is no run', note: false, exit: 2, runs: 0 },
  { when: 'a mistake that is found later is one that failed', note: true, exit: 2, runs: 1 },
  { when: 'so is what fails', note: false, exit: 1, runs: 1 },
] as const)
  test(when, async () => {
    writeFileSync(file, readFileSync(file, 'utf8').replace('- ["false"]', '- ["true"]'))
    const state = join(root, '.egress/sandbox')
    rmSync(join(state, 'runs'), { recursive: true, force: true })
    const never = new AbortController().signal
    const { flags } = parse('rollback', ['--context', 'sandbox'], {})
    const options = { command: 'rollback', flags, root, output, interrupt: { stop: never, abort: never }, writes: true }
    const problem = await withSession(options, async ({ journal }) => {
      if (note) journal.record({ event: 'note', topic: 'x', data: null })
      throw new Problem('no such number', { why: '-', next: '-', exit })
    }).catch(it => it)
    assert.is(problem.exit, exit)
    assert.is(existsSync(join(state, 'runs')) ? readdirSync(join(state, 'runs')).length : 0, runs)
    assert.is(readJournals(state).filter(it => it.event === 'run-ended').length, runs)
  })

test('what may wait for the disk waits: only what comes after it is synced', async () => {
  const never = new AbortController().signal
  const { flags } = parse('rollback', ['--context', 'sandbox'], {})
  const options = { command: 'rollback', flags, root, output, interrupt: { stop: never, abort: never }, writes: true }
  const { fsyncSync } = fs
  let syncs = 0
  fs.fsyncSync = it => {
    syncs++
    fsyncSync(it)
  }
  syncBuiltinESMExports()
  try {
    await withSession(options, async ({ journal }) => {
      const counts = [true, true, false].map(later => {
        const before = syncs
        journal.record({ event: 'note', topic: 'x', data: null }, { later })
        return syncs - before
      })
      assert.equal(counts, [0, 0, 1])
    })
  } finally {
    fs.fsyncSync = fsyncSync
    syncBuiltinESMExports()
  }
})
