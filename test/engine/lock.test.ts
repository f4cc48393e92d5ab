import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { takeLock } from '../../src/engine/lock.ts'
import { Problem } from '../../src/engine/problem.ts'
import { suite } from '../support/suite.ts'

const { test, after } = suite('engine: lock')
const directory = mkdtempSync(join(tmpdir(), 'lock-'))
after(() => rmSync(directory, { recursive: true }))

const held = () => {
  try {
    takeLock(directory, { run: 'mine', command: 'deploy' }).release()
    return null
  } catch (error) {
    return error as Problem
  }
}

const holdElsewhere = async () => {
  const code = `
    const { takeLock } = await import(${JSON.stringify(new URL('../../src/engine/lock.ts', import.meta.url).href)})
    globalThis.lock = takeLock(${JSON.stringify(directory)}, { run: 'theirs', command: 'rollback' })
    console.log('held'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout!, 'data')
  return child
}

test('a second run is refused with exit 4 and the name of the holder', () => {
  const lock = takeLock(directory, { run: 'first', command: 'deploy' })
  const problem = held()
  assert.instance(problem, Problem)
  assert.is(problem?.exit, 4)
  assert.match(problem!.why, /deploy \(run first, process \d+ on /)
  lock.release()
  assert.is(held(), null)
})

test('the lock of a killed holder is taken over, with a note; of a finished one without', async () => {
  const child = await holdElsewhere()
  assert.match(held()!.why, /rollback \(run theirs/)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const lock = takeLock(directory, { run: 'next', command: 'deploy' })
  assert.is(lock.tookOverFrom?.run, 'theirs')
  assert.is(lock.tookOverFrom?.pid, child.pid)
  lock.release()
  const clean = takeLock(directory, { run: 'after', command: 'deploy' })
  assert.is(clean.tookOverFrom, null)
  clean.release()
})
