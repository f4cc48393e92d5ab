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

test('in the gates of the canary, gone on with', () =>
  survive(range, 'lines', {
    there: { lines: Math.ceil(range.there.lines * 0.35) },
    back: { lines: Math.ceil(range.back.lines * 0.6) },
    resumed: true,
  }))

test('after writes that nobody heard the answer of, taken back at once', () =>
  survive(range, 'writes', { there: { writes: range.there.writes - 1 }, back: { writes: 2 }, resumed: false }))

test('a process that gets SIGKILL', () => survive(range, 'killed', { there: { killedAfterMs: 900 }, resumed: true }))

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
