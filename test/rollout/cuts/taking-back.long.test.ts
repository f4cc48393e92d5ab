import * as assert from 'uvu/assert'
import { openWrong, type Wrong, wrongAndCut } from '../../support/fleet/going-wrong.ts'
import { nameOf } from '../../support/fleet/inventory.ts'
import { suite } from '../../support/suite.ts'

const { test, before, after } = suite('rollout, whole: it dies while it takes itself back', { seconds: 3500 })

let wrong: Wrong
before(async () => {
  wrong = await openWrong('whole', nameOf(7))
})
after(() => wrong?.fleet.close())

for (const what of ['astray', 'abort'] as const)
  test(`after every line of ${what === 'astray' ? 'what a failed gate takes back' : 'an abort'}`, async () => {
    const lines = wrong.undone[what]
    let died = 0
    for (let undone = 1; undone <= lines; undone++)
      if (await wrongAndCut(wrong, wrong[what], { undone }, undone % 2 === 0)) died++
    console.log(`counted, ${died} cuts of ${lines} lines about what is taken back (${what})`)
    // How far a run is when it hears of an abort differs by a second.
    assert.ok(died >= lines * (what === 'astray' ? 0.9 : 0.5), `${died} of ${lines} were made`)
  })
