import * as assert from 'uvu/assert'
import { type Lab, makeLab } from '../support/lab/lab.ts'
import { suite } from '../support/suite.ts'
import { hostile } from './hostile.ts'
import { parseLines } from './judge.ts'
import { attackedProxy } from './play.ts'
import { sendAll, zone } from './send.ts'

/** Sends that many requests whose every free part is hostile to a log, and reads the log strictly. */
export const hostileRun = (name: string, slot: number, count: number) => {
  const { test, before, after } = suite(name, { seconds: 300 })
  let lab: Lab

  before(async () => {
    lab = await makeLab(slot, zone)
    await lab.apply(attackedProxy())
    lab.forget()
  })

  after(() => lab?.down())

  test('each has one line that the strict reader takes, and none was let through', async () => {
    const set = Array.from({ length: count }, (_, seed) => hostile(seed))
    const sent = await sendAll(lab, set)
    const { good, bad } = parseLines(await lab.auditLines(count))
    assert.equal(bad, [])
    assert.is(good.length, count)
    const lines = new Map([...Map.groupBy(good, it => it.client)].map(([from, all]) => [from, all.length]))
    const requests = new Map([...Map.groupBy(sent, it => it.from)].map(([from, all]) => [from, all.length]))
    assert.equal([...lines].sort(), [...requests].sort())
    assert.equal(
      good.filter(it => it.verdict !== 'denied'),
      [],
    )
    const { visits, asked } = await lab.traffic()
    assert.equal(visits, [])
    assert.equal(asked, {})
  })
}
