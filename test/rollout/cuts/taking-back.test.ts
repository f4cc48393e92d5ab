import * as assert from 'uvu/assert'
import { openWrong, type Wrong, wrongAndCut } from '../../support/fleet/going-wrong.ts'
import { nameOf } from '../../support/fleet/inventory.ts'
import { suite } from '../../support/suite.ts'

const { test, before, after } = suite('rollout: a few cuts of a run that takes itself back', { seconds: 600 })

let wrong: Wrong
before(async () => {
  wrong = await openWrong('small', nameOf(2))
})
after(() => wrong?.fleet.close())

test('after a gate that failed, rolled out anew when the cause is mended', async () =>
  assert.ok(await wrongAndCut(wrong, wrong.astray, { undone: 3 }, true)))

test('after an abort, taken back by another process', async () =>
  void (await wrongAndCut(wrong, wrong.abort, { undone: 4 }, false)))
