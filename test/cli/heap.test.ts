import { join } from 'node:path'
import { execa } from 'execa'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'

const { test } = suite('cli: heap')

const heap = join(import.meta.dirname, '..', '..', 'src', 'cli', 'heap.mjs')

/** Like a deploy: much that lives for a moment, little that stays; gives the most MB that it took. */
const churn = async (first: string): Promise<number> => {
  const script = `${first}
    const kept = []
    for (let at = 0; at < 2e6; at++) kept[at % 50_000] = { at, text: 'x'.repeat(at % 50) + at, more: [at, at] }
    console.log(process.resourceUsage().maxRSS / 1024)`
  const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', script])
  return Number(stdout)
}

test('a process that stays light keeps less of what it is done with', async () => {
  const [usual, light] = [
    await churn(''),
    await churn(`import { stayLight } from ${JSON.stringify(heap)}; stayLight()`),
  ]
  assert.ok(light < usual * 0.85, `${light} MB, and ${usual} without`)
})
