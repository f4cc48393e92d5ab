import * as assert from 'uvu/assert'
import { site } from '../../playbooks/site.ts'
import { forTargets } from '../../src/cli/limit.ts'
import { loadContext } from '../../src/inventory/load.ts'
import type { Mover } from '../../src/rollout/allowlist/old-ways.ts'
import { changed, cleanUp } from '../inventory/edited.ts'
import { suite } from '../support/suite.ts'

const { test, after } = suite('playbooks/allowlist')
after(cleanUp)

const list = (more = '') =>
  `externalAllowlist: { provider: crunchybridge, network: n, prove: 'https://api.partner.example/'${more} }`
const siteOf = async (edits: { a?: string; b?: string }, limit?: string) => {
  const allow: [string, string] = ['- { domain: example.com }', '- { domain: api.partner.example }']
  const copy = changed({
    ...(edits.a && { 'tenants/client-a.yaml': [['soak: 1s }', `soak: 1s }\n  ${edits.a}`]] }),
    ...(edits.b && {
      'tenants/client-b.yaml': [allow, [/$/, `  ${edits.b}\n`]],
    }),
  })
  const context = forTargets(await loadContext('sandbox', { root: copy, env: {} }), limit)
  return site(context, { operatorKey: 'ssh-ed25519 A', kubeconfig: '/k' })
}
const phasesOf = async (...of: Parameters<typeof siteOf>) => (await siteOf(...of)).phases
const REMOVE = ', remove: [198.51.100.7, 198.51.100.0/29]'

test('without the word there is no phase and no step more', async () => {
  const phases = await phasesOf({})
  assert.equal(phases.map(it => it.name), ['gateway', 'canary', 'expand 1/1']) // biome-ignore format: one line
  assert.not.ok(phases.some(it => it.desired.some(({ id }) => id.startsWith('allowlist'))))
})

test('with nothing listed, our addresses are let in before any workload moves, and what was ours once goes', async () => {
  const phases = await phasesOf({ a: list() })
  assert.equal(phases.map(it => it.name), ['gateway', 'canary', 'expand 1/1', 'allowlist']) // biome-ignore format: one line
  assert.equal(phases[3]!.desired.map(it => it.id), ['allowlist-leftovers/client-a']) // biome-ignore format: one line
  const door = phases[0]!.desired.find(it => it.id === 'allowlist-addition/client-a')!
  const want = door.want as { addresses: unknown; mark: string; firewall: unknown }
  assert.equal(want.addresses, [{ $ref: 'flexible-ip/proxy-client-a', path: 'address' }])
  assert.is(want.mark, 'kapsule-egress sandbox/client-a')
  assert.equal(want.firewall, { provider: 'crunchybridge', network: 'n', key: { env: 'CB_API_KEY' } })
})

test('each move of the tenant comes after its door directly, each removal after every move and its door', async () => {
  const phases = await phasesOf({ a: list(REMOVE) })
  assert.equal(phases.map(it => it.name), ['gateway', 'canary', 'expand 1/1', 'allowlist']) // biome-ignore format: one line
  const moves = phases
    .slice(1, 3)
    .flatMap(it => it.desired.filter((_, at) => it.moves[at]!.tenant.tenant === 'client-a'))
  for (const it of moves) assert.ok(it.after.includes('allowlist-addition/client-a'), it.id)
  const [first, second, last] = phases[3]!.desired
  assert.is(first!.id, 'allowlist-removal/client-a/198.51.100.7/32')
  assert.is(second!.id, 'allowlist-removal/client-a/198.51.100.0/29')
  for (const it of [first!, second!, last!])
    for (const before of ['allowlist-addition/client-a', ...moves.map(({ id }) => id)])
      assert.ok(it.after.includes(before), `${it.id} after ${before}`)
  assert.ok(second!.after.includes(first!.id), 'one at a time')
  assert.is(last!.id, 'allowlist-leftovers/client-a')
  for (const it of [first!, second!, ...moves]) assert.ok(last!.after.includes(it.id), `last after ${it.id}`)
  assert.equal(phases[3]!.moves, [])
  assert.equal(phases[3]!.proves!.map(it => it.workload.name).sort(), ['curl-demo', 'web-demo'])
})

test('without anything to prove a list is only added to', async () => {
  const phases = await phasesOf({ a: 'externalAllowlist: { provider: crunchybridge, network: n }' })
  assert.equal(phases.map(it => it.name), ['gateway', 'canary', 'expand 1/1']) // biome-ignore format: one line
})

test('who shares a list keeps what it needs in it, also where a run leaves it out', async () => {
  for (const limit of [undefined, 'client-a']) {
    const phases = await phasesOf({ a: list(REMOVE), b: list() }, limit)
    const { movers } = phases.at(-1)!.desired[0]!.want as unknown as { movers: Mover[] }
    assert.equal(movers.map(it => it.namespace), ['client-a-demo', 'client-b-demo'], `${limit}`) // biome-ignore format: one line
  }
  const phases = await phasesOf({ a: list(REMOVE), b: list().replace('network: n', 'network: m') })
  const { movers } = phases.at(-1)!.desired[0]!.want as unknown as { movers: Mover[] }
  assert.equal(
    movers.map(it => it.namespace),
    ['client-a-demo'],
  )
})

test('a run that leaves a tenant out makes nothing of its, list or no list', async () => {
  const { stages } = await siteOf({ a: list(REMOVE), b: list() }, 'client-a')
  const made = Object.values(stages).flatMap(all => all.map(it => it.id))
  assert.equal(made.filter(it => it.includes('client-b')), []) // biome-ignore format: one line
})
