import { weather } from '../../support/fleet/storm.ts'
import { openRange, type Range } from '../../support/fleet/trial.ts'
import { suite } from '../../support/suite.ts'

const { test, before, after } = suite('rollout: each twentieth call fails, and it dies on the way', { seconds: 600 })

let range: Range
before(async () => {
  range = await openRange('small')
})
after(() => range?.fleet.close())

test('it comes to the same objects, there and back', async () => {
  for (const seed of [1, 2]) await weather(range, { seed, there: { lines: 7 + 20 * seed }, back: { lines: 7 * seed } })
})
