import { endure, killsOf } from '../../support/fleet/shares.ts'
import { openRange, type Range } from '../../support/fleet/trial.ts'
import { suite } from '../../support/suite.ts'

const { test, before, after } = suite('rollout, whole: processes that get SIGKILL', { seconds: 3500 })

let range: Range
before(async () => {
  range = await openRange('whole')
})
after(() => range?.fleet.close())

test('after a line and a write of every sort, gone on with or taken back at once', () =>
  endure(
    range,
    killsOf(range.there).map((there, at) => ({ there, resumed: at % 2 === 0 })),
  ))

test('on the way back, after a line and a write of every sort', () =>
  endure(
    range,
    killsOf(range.back).map(back => ({ back, resumed: true })),
  ))
