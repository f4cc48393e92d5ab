import * as assert from 'uvu/assert'
import type { Entry } from '../../../src/engine/journal.ts'
import type { Problem } from '../../../src/engine/problem.ts'
import { PROBE_LABEL } from '../../../src/rollout/probe-pod.ts'
import { type Fleet, startFleet } from '../../support/fleet/fleet.ts'
import { NAMESPACE } from '../../support/fleet/inventory.ts'
import { picture } from '../../support/fleet/picture.ts'
import { NO_POWER } from '../../support/fleet/power.ts'
import { back, forward } from '../../support/fleet/run.ts'
import { suite } from '../../support/suite.ts'

const { test, before, after } = suite('rollout: a pod of ours tries the policy before anything moves', { seconds: 600 })

let fleet: Fleet
let start: string[]
/** What went out in the run whose policy did not hold: `apply ConfigMap`. */
const writes: string[] = []

before(async () => {
  // Whoever has the label is seen with the node's address.
  const isAstray = ({ name }: { name: string }) => name.endsWith('-moved')
  fleet = await startFleet({ workloads: 2, batches: ['100%'], interval: '5ms' }, { isAstray })
  start = await picture(fleet.kube)
})
after(() => fleet?.close())

const probePods = async () =>
  (await fleet.kube.list({ apiVersion: 'v1', kind: 'Pod', namespace: NAMESPACE, labelSelector: PROBE_LABEL })).items

test('one that is seen with another address ends the phase, and all is as before', async () => {
  const lines: Entry[] = []
  const wrote = (how: string, what: unknown) => writes.push(`${how} ${(what as { kind: string }).kind}`)
  const noted = () => lines.some(it => it.event === 'note' && it.topic === 'probe-pod')
  let isNoted = false
  const ears = {
    line: (it: Entry) => void lines.push(it),
    wrote(how: string, what: unknown) {
      wrote(how, what)
      if (writes.at(-1) === 'create Pod') isNoted = noted()
    },
  }
  const problem: Problem = await forward(fleet, 'astray', {}, ears).catch(it => it)
  assert.is(problem.message, 'phase canary did not hold')
  assert.match(problem.why, /the policy holds a pod with the label: egress address is the tenant's own: .*seen as/)
  assert.is(problem.exit, 5)
  assert.ok(isNoted, 'the journal names the pod before it is made')
  assert.equal(writes.filter(it => /Deployment/.test(it)), []) // biome-ignore format: one line
  assert.is(writes.filter(it => it === 'create Pod').length, 1)
  assert.equal(await picture(fleet.kube), start)
})

test('what a run that died left of it goes before the rest is taken back', async () => {
  const cut = { writes: writes.indexOf('create Pod') + 1 }
  const thrown: Error = await forward(fleet, 'died', cut).then(() => assert.unreachable(), it => it) // biome-ignore format: one line
  assert.is(thrown.message, NO_POWER)
  assert.is((await probePods()).length, 1)
  await back(fleet, 'died')
  assert.equal(await probePods(), [])
  assert.equal(await picture(fleet.kube), start)
})
