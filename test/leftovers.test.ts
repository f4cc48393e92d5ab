import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { startTime } from '../src/sandbox/machines/slots.ts'
import { ownerFile, prefix, removeLeftovers } from './support/leftovers.ts'
import { suite } from './support/suite.ts'

const { test, after } = suite('what killed test runs leave')
const root = mkdtempSync(join(tmpdir(), 'egress-leftovers-'))
after(() => rmSync(root, { recursive: true, force: true }))

const copy = (name: string, owner?: string): string => {
  const directory = join(root, `${prefix}${name}`)
  mkdirSync(join(directory, 'src/sandbox'), { recursive: true })
  mkdirSync(join(directory, '.egress/.sandbox'), { recursive: true })
  // Stands for the sandbox's command: says what it was asked.
  writeFileSync(
    join(directory, 'src/sandbox/main.ts'),
    `require('node:fs').writeFileSync(${JSON.stringify(join(root, `${name}.asked`))}, process.argv.slice(2).join(' '))`,
  )
  if (owner) writeFileSync(join(directory, ownerFile), owner)
  return directory
}

test('the copy of a dead run is taken down and removed, that of a live one and of nobody stay', async () => {
  const { pid } = spawnSync('true')
  const dead = copy('dead', `${pid} 1`)
  const reused = copy('reused', `${process.pid} 1`)
  const alive = copy('alive', `${process.pid} ${startTime(process.pid)}`)
  const unknown = copy('unknown')
  assert.equal((await removeLeftovers(root)).sort(), [dead, reused].sort())
  assert.is(readFileSync(join(root, 'dead.asked'), 'utf8'), `down --root ${join(dead, '.egress/.sandbox')}`)
  assert.equal([dead, reused, alive, unknown].map(existsSync), [false, false, true, true])
  assert.equal(await removeLeftovers(root), [])
})
