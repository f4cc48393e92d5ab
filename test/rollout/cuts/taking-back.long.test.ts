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
    let died = 0
    for (let undone = 1; undone <= wrong.undone; undone++)
      if (await wrongAndCut(wrong, wrong[what], { undone }, undone % 2 === 0)) died++
    console.log(`counted, ${died} cuts of ${wrong.undone} lines (${what})`)
    assert.ok(died >= wrong.undone * (what === 'astray' ? 0.9 : 0.5), `${died} of ${wrong.undone} were made`)
  })
