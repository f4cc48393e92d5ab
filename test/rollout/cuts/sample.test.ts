import { setTimeout } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { readJournals } from '../../../src/engine/journal.ts'
import { picture } from '../../support/fleet/picture.ts'
import { NO_POWER } from '../../support/fleet/power.ts'
import { back, forward, stateOf } from '../../support/fleet/run.ts'
import { endure } from '../../support/fleet/shares.ts'
import { openRange, type Range } from '../../support/fleet/trial.ts'
import { watchman } from '../../support/fleet/watchman.ts'
import { suite } from '../../support/suite.ts'

const { test, before, after } = suite('rollout: a few cuts of a run, there and back', { seconds: 600 })

let range: Range
before(async () => {
  range = await openRange('small')
})
after(() => range?.fleet.close())

test('in the gates of the canary, gone on with, cut once more, and on the way back', () =>
  endure(range, [
    {
      there: { lines: Math.ceil(range.there.lines * 0.35) },
      again: { lines: 5 },
      back: { lines: Math.ceil(range.back.lines * 0.6) },
      resumed: true,
    },
  ]))

test('after a write that nobody heard the answer of, taken back at once', () =>
  endure(range, [{ there: { writes: range.there.writes - 1 }, back: { writes: 2 }, resumed: false }]))

test('while it takes the Lease, by SIGKILL', () =>
  endure(range, [{ there: { leads: 2, really: true }, resumed: true, back: { lines: 3 } }]))

test('what is dead says and does nothing more', async () => {
  const { fleet } = range
  const cut = { reads: Math.ceil(range.there.reads / 2) }
  const thrown: Error = await forward(fleet, 'dead', cut).then(() => assert.unreachable(), it => it) // biome-ignore format: one line
  assert.is(thrown.message, NO_POWER)
  const left = () => Promise.all([fleet.door('GET', 'calls'), readJournals(stateOf(fleet, 'dead'))])
  const then = await left()
  await setTimeout(300)
  assert.equal(await left(), then)
  await back(fleet, 'dead')
  assert.equal(await picture(fleet.kube, { counted: false }), range.start)
})

test('whoever watches the runs sees what must not be', () => {
  const { ears, wrong } = watchman(1)
  const moving = (name: string, more = {}) => {
    const template = { metadata: { labels: { egress: 'external' } } }
    ears.wrote?.('apply', { kind: 'Deployment', metadata: { name }, spec: { template, ...more } })
  }
  moving('one')
  ears.line?.({ event: 'note', topic: 'phase-passed', data: null })
  moving('two')
  assert.equal(wrong, [])
  moving('three', { replicas: 2 })
  ears.wrote?.('delete', { kind: 'Pod', name: 'theirs' })
  ears.wrote?.('delete', { kind: 'Pod', name: 'egress-probe-1' })
  assert.equal(wrong, ['three was sent with replicas', '2 have moved and are not proved', 'delete of pod theirs'])
})
