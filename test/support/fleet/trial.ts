import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { newRunId } from '../../../src/engine/journal.ts'
import type { KubeObject } from '../../../src/rollout/kube/object.ts'
import { type Fleet, startFleet } from './fleet.ts'
import { picture } from './picture.ts'
import { type Cut, NO_POWER, type Spent } from './power.ts'
import { back, type Ears, forward, stateOf } from './run.ts'
import type { Astray } from './street.ts'
import { watchman } from './watchman.ts'

/** A canary, and then batches of 2 and 1, or of 3, 4 and 4: none may be larger than what may be unproved. */
const sizes = {
  small: { workloads: 4, batches: ['50%', '100%'], interval: '5ms', maxUnverified: 2 },
  whole: { workloads: 12, batches: ['25%', '100%'], interval: '5ms', count: 1, maxUnverified: 4 },
}

/** A fleet, and what it looks like before a rollout and after one that nobody disturbed. */
export type Range = {
  fleet: Fleet
  /** So many may have moved and not be proved. */
  most: number
  start: string[]
  moved: string[]
  /** What a whole run there, and one back, writes to the journal and to the API. */
  there: Counted
  back: Counted
}
/** `sorts`: of each line and write, in their order, what sort of thing it is. */
export type Counted = Spent & { sorts: Record<'lines' | 'writes', string[]> }

export const openRange = async (size: keyof typeof sizes, isAstray?: Astray): Promise<Range> =>
  measured(await startFleet(sizes[size], isAstray && { isAstray }), sizes[size].maxUnverified)

/** Rolls it out and back, undisturbed. */
export const measured = async (fleet: Fleet, most: number): Promise<Range> => {
  const start = await seen(fleet)
  const before = await changes(fleet)
  const there = await counted(ears => forward(fleet, 'calm', {}, ears))
  const moved = await seen(fleet)
  assert.equal(await changes(fleet), before.map(it => it + 1), 'one change of each workload') // biome-ignore format: one line
  const again = await forward(fleet, 'calm')
  assert.equal([again.writes, await seen(fleet)], [0, moved], 'a second run has nothing to do')
  const spent = await counted(ears => back(fleet, 'calm', {}, ears))
  assert.equal(await seen(fleet), start, 'as before')
  return { fleet, most, start, moved, there, back: spent }
}

const counted = async (run: (ears: Ears) => Promise<Spent>): Promise<Counted> => {
  const lines: string[] = []
  const writes: string[] = []
  const spent = await run({
    line: it => lines.push([it.event, 'topic' in it && it.topic, 'step' in it && it.step.split('/')[0]].join(' ')),
    wrote: (how, what) => writes.push(`${how} ${(what as KubeObject).kind}`),
  })
  return { ...spent, sorts: { lines, writes } }
}

/** `really`: a process of its own, which kills itself with SIGKILL. */
export type Death = Cut & { really?: true }
/** `again`: cut once more when it is gone on with. `back`: on its way back, and once more until it is there. */
export type Trial = { there?: Death; again?: Cut; back?: Death; resumed: boolean }

/**
 * One rollout that dies there, and on its way back. With `resumed` it is gone on with in between and has to come to the
 * same objects as one that nobody disturbed; taken back it leaves what was there before. Answers the cuts that were made.
 */
export const survive = async ({ fleet, most, start, moved }: Range, trial: Trial): Promise<Death[]> => {
  const { there, again, back: home, resumed } = trial
  const when = JSON.stringify(trial)
  const history = newRunId()
  const { ears, wrong } = watchman(most)
  const before = await changes(fleet)
  const made: Death[] = []
  const death = async (act: 'forward' | 'back', cut: Death) => {
    const died = cut.really
      ? await killed(fleet, history, act, cut)
      : await dies({ forward, back }[act](fleet, history, cut, ears), when)
    if (died) made.push(cut)
  }
  await fleet.door('DELETE', 'calls')
  try {
    if (there) await death('forward', there)
    if (again) await death('forward', again)
    if (resumed) {
      await forward(fleet, history, {}, ears)
      assert.equal(await seen(fleet), moved, `${when}, gone on with`)
      assert.equal(await changes(fleet), before.map(it => it + 1), `${when}: one change of each workload`) // biome-ignore format: one line
    }
    if (home) await death('back', home)
    await back(fleet, history, {}, ears)
    assert.equal(await seen(fleet), start, `${when}, taken back`)
    assert.equal(wrong, [], when)
    const calls = (await fleet.door('GET', 'calls')) as Record<string, number>
    const forbidden = Object.keys(calls).filter(it => /^deletecollection pods$|pods\/eviction/.test(it))
    assert.equal(forbidden, [], when)
    // Whose they are is the watchman's to see: of its own a run makes no more than it takes away.
    const { 'create pods': pods = 0, 'delete pods': gone = 0 } = calls
    assert.ok(gone <= pods, `${when}: ${gone} pods deleted, ${pods} made`)
    return made
  } finally {
    rmSync(stateOf(fleet, history), { recursive: true, force: true })
    rmSync(fleet.log, { force: true })
  }
}

/** It may have ended before, and well. */
const killed = async ({ root }: Fleet, history: string, act: string, cut: Death): Promise<boolean> => {
  const driver = join(import.meta.dirname, 'driver.ts')
  const child = spawn(process.execPath, [driver, root, history, act, JSON.stringify(cut)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code, signal] = await once(child, 'close')
  assert.ok(signal === 'SIGKILL' || code === 0, `${act} ended with ${code}`)
  return signal === 'SIGKILL'
}

/** A cut that comes too late is none: false. Anything else that ends a run than its cut is a failure of its own. */
export const dies = async (run: Promise<unknown>, when: string): Promise<boolean> => {
  const thrown = await run.then(() => null).catch(it => it as Error)
  if (thrown && thrown.message !== NO_POWER) throw new Error(`${when}: ${thrown.message}`, { cause: thrown })
  return thrown !== null
}

export const seen = async ({ kube, letIn }: Fleet): Promise<string[]> => [
  ...(await picture(kube, { counted: false })),
  ...(letIn?.() ?? []),
]

/** How often each workload was changed, in the order of their names. */
const changes = async ({ kube }: Fleet): Promise<number[]> => {
  const { items } = await kube.list<KubeObject>({ apiVersion: 'apps/v1', kind: 'Deployment' })
  return items.map(it => it.metadata.generation ?? 0)
}
