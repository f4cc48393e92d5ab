import * as assert from 'uvu/assert'
import { openRange, type Range, survive } from '../../support/fleet/trial.ts'
import { watchman } from '../../support/fleet/watchman.ts'
import { suite } from '../../support/suite.ts'

const { test, before, after } = suite('rollout: a few cuts of a run, there and back')

let range: Range
before(async () => {
  range = await openRange('small')
})
after(() => range?.fleet.close())

/** Shares of what a whole run writes: in the gateway, in the canary's gates, in the last batch. */
for (const [share, resumed] of [[0.1, true], [0.35, false], [0.8, true]] as const) // biome-ignore format: a table
  test(`after ${share * 100} % of its journal, ${resumed ? 'gone on with' : 'taken back at once'}`, () =>
    survive(range, `lines ${share}`, {
      there: { lines: Math.ceil(range.there.lines * share) },
      back: { lines: Math.ceil(range.back.lines * (1 - share)) },
      resumed,
    }))

test('after writes that nobody heard the answer of', async () => {
  await survive(range, 'canary', { there: { writes: 3 }, back: { writes: 2 }, resumed: true })
  await survive(range, 'a batch', { there: { writes: range.there.writes - 1 }, back: { writes: 4 }, resumed: false })
})

test('in the middle of looking', () =>
  survive(range, 'reads', {
    there: { reads: Math.ceil(range.there.reads * 0.6) },
    back: { reads: Math.ceil(range.back.reads * 0.4) },
    resumed: true,
  }))

test('a process that gets SIGKILL, there and on its way back', () =>
  survive(range, 'killed', { there: { killedAfterMs: 900 }, back: { killedAfterMs: 300 }, resumed: true }))

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
