import * as assert from 'uvu/assert'
import { type Fleet, startFleet } from '../support/fleet/fleet.ts'
import { nameOf } from '../support/fleet/inventory.ts'
import { back, forward } from '../support/fleet/run.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('rollout: one watch of a kind and one write of a workload')

const workloads = 6
let isLying = false
let fleet: Fleet
before(async () => {
  const isAstray = ({ name }: { name: string }, command: string[]) =>
    isLying && name.startsWith(`${nameOf(workloads - 1)}-`) && !command.includes('--proxy')
  const wanted = { workloads, batches: ['25%', '50%', '100%'], interval: '5ms', maxUnverified: 2 }
  fleet = await startFleet(wanted, { replicas: 2, isAstray })
})
after(() => fleet?.close())

/** How often each workload is written, and each kind watched. */
const counted = async (act: typeof forward) => {
  const writes = new Map<string, number>()
  const wrote = (_how: string, what: unknown) => {
    const { kind, name, metadata } = what as { kind: string; name?: string; metadata?: { name: string } }
    const its = name ?? metadata?.name ?? ''
    if (kind === 'Deployment') writes.set(its, (writes.get(its) ?? 0) + 1)
  }
  await fleet.door('DELETE', 'calls')
  const problem = await act(fleet, 'one', {}, { wrote }).then(() => '').catch((it: Error) => it.message) // biome-ignore format: one line
  const calls = Object.entries((await fleet.door('GET', 'calls')) as Record<string, number>)
  const watches = calls.filter(([key]) => key.startsWith('watch ')).sort()
  return { problem, watches: Object.fromEntries(watches), writes: [...writes.values()] }
}

const once = { 'watch deployments': 1, 'watch pods': 1 }
const each = (times: number) => Array.from({ length: workloads }, () => times)

test('over the phases of a rollout, and over its way back', async () => {
  assert.equal(await counted(forward), { problem: '', watches: once, writes: each(1) })
  assert.equal(await counted(back), { problem: '', watches: once, writes: each(1) })
})

test('also where the last phase fails and the same run takes all of it back', async () => {
  isLying = true
  const { problem, watches, writes } = await counted(forward)
  assert.match(problem, /did not hold/)
  assert.equal([watches, writes], [once, each(2)])
})
