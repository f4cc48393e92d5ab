import { weather } from '../../support/fleet/storm.ts'
import { openRange, type Range } from '../../support/fleet/trial.ts'
import { suite } from '../../support/suite.ts'

const { test, before, after } = suite('rollout, whole: each twentieth call fails, and it dies on the way', {
  seconds: 880,
})

let range: Range
before(async () => {
  range = await openRange('whole')
})
after(() => range?.fleet.close())

test('it comes to the same objects, there and back, by every seed', async () => {
  const runs: number[] = []
  for (let seed = 1; seed <= 6; seed++) runs.push(await weather(range, seed))
  console.log(`${runs.length} seeds, ${runs.reduce((sum, it) => sum + it)} runs`)
})
