import { createSsh } from '../../src/hosts/ssh.ts'
import { dice } from '../bench/dice.ts'
import { damageOf } from '../support/damage.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { suite } from '../support/suite.ts'
import { holdTrue, type TrueHost, trueHost } from '../support/truth.ts'

const { test, before, after } = suite('check mode tells the truth')

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 20 })
let host: TestHost
let it: TrueHost

before(async () => {
  host = await makeHost(4)
  it = await trueHost(host, ssh)
})

after(async () => {
  await ssh.close()
  await host?.down()
})

// `npm run bench -- truth` has two hundred of them.
for (const seed of [2, 6]) {
  const damage = damageOf(dice(seed))
  test(`seed ${seed}: ${damage.map(({ name }) => name).join('; ') || 'nothing'}`, async () => {
    await holdTrue(it, damage)
  })
}
