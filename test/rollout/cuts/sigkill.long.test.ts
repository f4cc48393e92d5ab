import { endure, killsOf } from '../../support/fleet/shares.ts'
import { openRange, type Range, type Trial } from '../../support/fleet/trial.ts'
import { suite } from '../../support/suite.ts'

const { test, before, after } = suite('rollout, whole: processes that get SIGKILL', { seconds: 880 })

let range: Range
before(async () => {
  range = await openRange('whole')
})
after(() => range?.fleet.close())

test('after a line and a write of every sort, there and back, and what is left differs in nothing', async () => {
  const home = killsOf(range.back)
  await endure(
    range,
    killsOf(range.there).map((there, at): Trial => ({ there, back: home[at % home.length]!, resumed: at % 2 === 0 })),
  )
})
