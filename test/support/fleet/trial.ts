import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import type { KubeObject } from '../../../src/rollout/object.ts'
import { type Fleet, startFleet } from './fleet.ts'
import { NAMESPACE } from './inventory.ts'
import { picture } from './picture.ts'
import { type Cut, NO_POWER } from './power.ts'
import { back, forward, stateOf } from './run.ts'
import { watchman } from './watchman.ts'

/** A canary, and then batches of 2 and 1, or of 3, 4 and 4: none may be larger than what may be unproved. */
const sizes = {
  small: { workloads: 4, batches: ['50%', '100%'], interval: '5ms', maxUnverified: 2 },
  whole: { workloads: 12, batches: ['25%', '100%'], interval: '5ms', maxUnverified: 4 },
}

/** A fleet, and what it looks like before a rollout and after one that nobody disturbed. */
export type Range = {
  fleet: Fleet
  /** So many may have moved and not be proved. */
  most: number
  start: string[]
  moved: string[]
  /** What a whole run there, and one back, writes to the journal and to the API. */
  there: Required<Cut>
  back: Required<Cut>
}

export const openRange = async (size: keyof typeof sizes): Promise<Range> => {
  const most = sizes[size].maxUnverified
  const fleet = await startFleet(sizes[size])
  const start = await seen(fleet)
  const before = await changes(fleet)
  const there = await forward(fleet, 'calm')
  const moved = await seen(fleet)
  assert.equal(await changes(fleet), before.map(it => it + 1), 'one change of each workload') // biome-ignore format: one line
  const again = await forward(fleet, 'calm')
  assert.equal([again.writes, await seen(fleet)], [0, moved], 'a second run has nothing to do')
  const spent = await back(fleet, 'calm')
  assert.equal(await seen(fleet), start, 'as before')
  return { fleet, most, start, moved, there, back: spent }
}

type Death = Cut | { killedAfterMs: number }
export type Trial = { there: Death; back?: Death; resumed: boolean }

/**
 * One rollout that dies there, and on its way back. With `resumed` it is gone on with in between and has to come to the
 * same objects as one that nobody disturbed; taken back it leaves what was there before.
 */
export const survive = async (
  { fleet, most, start, moved }: Range,
  when: string,
  { there, back: home = {}, resumed }: Trial,
): Promise<void> => {
  const { ears, wrong } = watchman(most)
  const before = await changes(fleet)
  await fleet.door('DELETE', 'calls')
  try {
    await ('killedAfterMs' in there
      ? killed(fleet, when, 'forward', there.killedAfterMs)
      : dies(forward(fleet, when, there, ears), when))
    if (resumed) {
      await forward(fleet, when, {}, ears)
      assert.equal(await seen(fleet), moved, `${when}, gone on with`)
      assert.equal(await changes(fleet), before.map(it => it + 1), `${when}: one change of each workload`) // biome-ignore format: one line
    }
    await ('killedAfterMs' in home
      ? killed(fleet, when, 'back', home.killedAfterMs)
      : dies(back(fleet, when, home, ears), when))
    await back(fleet, when, {}, ears)
    assert.equal(await seen(fleet), start, `${when}, taken back`)
    assert.equal(wrong, [], when)
    const calls = (await fleet.door('GET', 'calls')) as Record<string, number>
    const forbidden = Object.keys(calls).filter(it => /^deletecollection pods$|pods\/eviction/.test(it))
    assert.equal(forbidden, [], when)
    // Whose they are is the watchman's to see: of its own a run makes no more than it takes away.
    const { 'create pods': made = 0, 'delete pods': gone = 0 } = calls
    assert.ok(gone <= made, `${when}: ${gone} pods deleted, ${made} made`)
  } finally {
    rmSync(stateOf(fleet, when), { recursive: true, force: true })
    rmSync(fleet.log, { force: true })
  }
}

/** A process of its own that gets SIGKILL so many ms after it has begun; it may have ended by then, and well. */
const killed = async ({ root }: Fleet, history: string, act: string, ms: number): Promise<void> => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'driver.ts'), root, history, act], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  await Promise.race([once(child.stdout, 'data'), closed])
  await Promise.race([sleep(ms), closed])
  child.kill('SIGKILL')
  const [code, signal] = await closed
  assert.ok(signal === 'SIGKILL' || code === 0, `${act} ended with ${code}`)
}

/** A cut that comes too late is none. Anything else that ends a run than its cut is a failure of its own. */
const dies = async (run: Promise<unknown>, when: string): Promise<void> => {
  const thrown = await run.then(() => null).catch(it => it as Error)
  if (thrown && thrown.message !== NO_POWER) throw new Error(`${when}: ${thrown.message}`, { cause: thrown })
}

const seen = ({ kube }: Fleet): Promise<string[]> => picture(kube, { counted: false })

/** How often each workload was changed, in the order of their names. */
const changes = async ({ kube }: Fleet): Promise<number[]> => {
  const { items } = await kube.list<KubeObject>({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: NAMESPACE })
  return items.map(it => it.metadata.generation ?? 0)
}
