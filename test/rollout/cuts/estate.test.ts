import { openEstate } from '../../support/fleet/estate.ts'
import { endure } from '../../support/fleet/shares.ts'
import { suite } from '../../support/suite.ts'

const { test, before, after } = suite('rollout: a few cuts with two tenants and a partner', { seconds: 600 })

let estate: Awaited<ReturnType<typeof openEstate>>
before(async () => {
  estate = await openEstate('small')
})
after(() => estate?.close())

test('after calls about the list, there and back, nobody is ever outside', () => {
  const { there, back } = estate
  return endure(estate, [
    { there: { lists: Math.ceil(there.lists * 0.7) }, back: { lists: Math.ceil(back.lists * 0.3) }, resumed: true },
    { there: { lists: there.lists - 2 }, back: { lists: 3 }, resumed: false },
  ])
})
