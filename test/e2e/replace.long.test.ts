import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { listOwned } from '../../src/scaleway/leftovers.ts'
import { makeCheckout, type Ran } from '../support/checkout.ts'
import { suite } from '../support/suite.ts'
import { looksAt, ok, type Summary, summaryOf } from './looks.ts'

const { test, after } = suite('a network replaced under running workloads', { seconds: 200 })
const checkout = makeCheckout()
const { run } = checkout
after(() => checkout.remove())

const { cloud, owned } = looksAt(checkout)
const ids = async () => (await listOwned(await cloud())).map(it => it.id).sort()

type Outputs = Summary['outputs']
const outputsOf = (it: Ran): Outputs => summaryOf(it).outputs
const publicIn = ({ gateway_public_ip, proxies }: Outputs) => [
  gateway_public_ip,
  ...Object.values(proxies).map(it => it.public_ip),
]

/** Every range and address of the private network, moved. */
const moveNetwork = () => {
  const folder = join(checkout.directory, 'inventory/sandbox')
  const tenants = readdirSync(join(folder, 'tenants')).map(it => join(folder, 'tenants', it))
  for (const file of [join(folder, 'context.yaml'), ...tenants])
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('172.16.28.', '172.16.32.'))
}

let before: Outputs

test('without the word of the operator it is refused, and nothing is touched', async () => {
  const first = await run('deploy.mjs', '--json')
  ok(first)
  before = outputsOf(first)
  const there = await ids()
  moveNetwork()
  const refused = await run('deploy.mjs', '--json')
  ok(refused, 1)
  assert.match(refused.stderr, /private-network\/egress can only be replaced with all that lives in it/)
  assert.match(refused.stderr, /--replace private-network\/egress/)
  assert.equal(await ids(), there)
})

test('killed while all is taken down, it is gone on with, and every public address stays', async () => {
  const args = ['--json', '--replace', 'private-network/egress']
  const replacing = checkout.start('deploy.mjs', args)
  let gone = 0
  for await (const line of replacing) {
    if (!line.includes('"step-done"') || ++gone < 4) continue
    replacing.kill('SIGKILL')
    break
  }
  await replacing
  assert.is(gone, 4)
  const it = await run('deploy.mjs', ...args)
  ok(it)
  const now = outputsOf(it)
  assert.equal(publicIn(now), publicIn(before))
  assert.equal(
    Object.values(now.proxies).map(({ private_ip }) => private_ip),
    ['172.16.32.8', '172.16.32.9'],
  )
  const proofs = it.events.filter(({ event }) => event === 'proof')
  assert.equal(
    proofs.map(({ addressNow, failures }) => ({ addressNow, failures })),
    Object.values(now.proxies).map(({ public_ip }) => ({ addressNow: public_ip, failures: [] })),
  )
  ok(await run('deploy.mjs', '--check'))
})

test('what the journal says still holds: back to the start, and away', async () => {
  ok(await run('rollback.ts', '--to', 'start', '--yes'))
  ok(await run('destroy.mjs', '--yes'))
  assert.equal(await owned(), [])
})
