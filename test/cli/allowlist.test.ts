import * as assert from 'uvu/assert'
import type { RolloutPhase } from '../../playbooks/rollout.ts'
import { shrinkAllowlist } from '../../src/cli/rollout/allowlist.ts'
import { notHeld } from '../../src/cli/rollout/run.ts'
import type { Desired } from '../../src/engine/desired.ts'
import type { Entry } from '../../src/engine/journal.ts'
import { StillNeeded } from '../../src/rollout/allowlist/removal.ts'
import { suite } from '../support/suite.ts'
import { thing } from '../support/things.ts'
import { stagedWith } from './staged.ts'

const { test } = suite('cli: the last phase')

const ref = { provider: 'crunchybridge' as const, network: 'n', key: { env: 'X' } }
const still = (range: string) => new StillNeeded({ firewall: ref, range } as never, [{ what: 'pod web of a' }])

/** Two entries, each of which takes so long that side by side they would overlap. */
const entries = (broken?: string) => {
  const order: string[] = []
  const entry = (name: string, after: Desired[] = []) =>
    thing(`allowlist-removal/a/${name}`, {
      live: { entry: name },
      change: { action: 'delete', summary: name },
      after,
      apply: async () => {
        order.push(`${name} goes`)
        await new Promise(resolve => setTimeout(resolve, 5))
        if (name === broken) throw still(name)
        order.push(`${name} is out`)
        return { entry: null }
      },
    })
  return { order, desired: [entry('one'), entry('two')] }
}

const phased = async (desired: Desired[], argv: string[] = []) => {
  const staged = await stagedWith(desired, { argv })
  const lines: Entry[] = []
  Object.assign(staged.session, {
    context: { tenants: [], cluster: {}, verify: { echo: [], forbidden: '' } },
    output: { know() {}, event() {}, say() {} },
    journal: { record: (it: Entry) => lines.push(it) },
    state: '/nonexistent',
  })
  const phase: RolloutPhase = { name: 'allowlist', desired, moves: [], proves: [] }
  Object.assign(staged.site, { ids: { proxies: [], gateways: [] }, phases: [phase] })
  return { staged, phase, lines }
}

test('entries go one after the other, and the phase has passed', async () => {
  const { order, desired } = entries()
  const { staged, phase, lines } = await phased(desired)
  const { ok, summary } = await shrinkAllowlist(staged, phase, () => undefined)
  assert.equal([ok, summary], [true, '2 deleted, gates passed'])
  assert.equal(order, ['one goes', 'one is out', 'two goes', 'two is out'])
  assert.equal(lines.map(it => (it.event === 'note' ? it.topic : it.event)), ['phase-passed']) // biome-ignore format: one line
})

test('one that is still needed ends it, and nothing is taken back', async () => {
  const { order, desired } = entries('one')
  const { staged, phase } = await phased(desired)
  const end = await shrinkAllowlist(staged, phase, () => undefined)
  assert.is(end.ok, false)
  assert.equal(order, ['one goes'])
  const thrown = await notHeld(staged.session, phase, end)
  assert.instance(thrown, StillNeeded)
  assert.match((thrown as StillNeeded).why, /not by the proxy: pod web of a/)
  assert.is((thrown as StillNeeded).exit, 1)
})

test('tags leave it out, and the one for policies is not its own', async () => {
  for (const [tag, out] of [
    ['allowlist', true],
    ['expand', true],
    ['rollout/allowlist', false],
    ['rollout', false],
  ] as const) {
    const { order, desired } = entries()
    const { staged, phase } = await phased(desired, ['--tags', tag])
    assert.is((await shrinkAllowlist(staged, phase, () => undefined)).summary === 'left out', out, tag)
    assert.is(order.length, out ? 0 : 4)
  }
})
