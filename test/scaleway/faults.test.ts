import * as assert from 'uvu/assert'
import { calmly, survive } from '../bench/faults.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('scaleway/faults', { seconds: 300 })

/** `npm run bench -- faults` runs three hundred; `--seed N` runs one of them again. */
test('thirty projects survive faults, kills and stale reads: no twin, no orphan, nothing left', async () => {
  const tenants = 1
  const expected = await calmly(tenants)
  assert.ok(expected.length > 20, expected.join('\n'))
  const seeds = Array.from({ length: 30 }, (_, at) => at + 1).values()
  const lost: string[] = []
  const worker = async () => {
    for (const seed of seeds) {
      const { ends, wrong } = await survive(seed, { tenants, expected, processes: seed === 10 })
      if (wrong.length > 0) lost.push(`seed ${seed} (${ends.join(', ')}): ${wrong.join(', ')}`)
    }
  }
  // Mostly waiting, so many at once.
  await Promise.all(Array.from({ length: 15 }, worker))
  assert.equal(lost, [])
})
