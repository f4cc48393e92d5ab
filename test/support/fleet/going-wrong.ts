import { rmSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { newRunId } from '../../../src/engine/journal.ts'
import { Problem } from '../../../src/engine/problem.ts'
import { leaseOf } from '../../../src/rollout/kube/lease.ts'
import { asAnnotation } from '../../../src/rollout/requests.ts'
import { type Cut, NO_POWER } from './power.ts'
import { back, type Ears, forward, stateOf } from './run.ts'
import { openRange, type Range, seen } from './trial.ts'
import { watchman } from './watchman.ts'

/** What makes a run take its rollout back by itself, while it goes on. `line`: hears what it writes down. */
export type Trouble = { begin(): void; line?: Ears['line']; end(): void }

export type Wrong = Range &
  Record<'astray' | 'abort', Trouble> & {
    /** So many lines a run that nobody disturbs writes of what it takes back. */
    undone: Record<'astray' | 'abort', number>
  }

/** A fleet of which one workload can be seen with a wrong address, and of which an operator can abort the rollout. */
export const openWrong = async (size: 'small' | 'whole', liar: string): Promise<Wrong> => {
  let isWrong = false
  const range = await openRange(size, ({ name }, command) => {
    return isWrong && name.startsWith(`${liar}-`) && !name.endsWith('-moved') && !command.includes('--proxy')
  })
  const astray = {
    begin() {
      isWrong = true
    },
    end() {
      isWrong = false
    },
  }
  const request = { id: 'one', what: 'abort' as const, by: 'somebody', at: '2026-01-01T00:00:00Z' }
  let passed = 0
  const abort: Trouble = {
    begin() {
      passed = 0
    },
    line(it) {
      if (it.event !== 'note' || it.topic !== 'phase-passed' || ++passed !== 2) return
      const metadata = { annotations: asAnnotation(request) }
      range.fleet.kube.patch(leaseOf('fleet'), { merge: { metadata } }).catch(() => undefined)
    },
    end() {},
  }
  const undone = { astray: await goesWrong(range, astray), abort: await goesWrong(range, abort) }
  return { ...range, astray, abort, undone }
}

/** Nobody disturbs it while it takes itself back. */
const goesWrong = async (range: Range, trouble: Trouble): Promise<number> => {
  const { fleet, start } = range
  let undone = 0
  const line: Ears['line'] = it => {
    trouble.line?.(it)
    if (/^und/.test(it.event)) undone++
  }
  trouble.begin()
  const problem: Problem = await forward(fleet, 'wrong', {}, { line }).then(() => assert.unreachable(), it => it) // biome-ignore format: one line
  trouble.end()
  assert.is(problem.exit, 5, problem.stack)
  assert.equal(await seen(fleet), start)
  return undone
}

/**
 * A run that goes wrong and dies while it takes itself back. `mended`: then the cause is gone and it is rolled out anew;
 * else taken back. True where it died.
 */
export const wrongAndCut = async (
  { fleet, most, start, moved }: Range,
  trouble: Trouble,
  cut: Cut,
  mended: boolean,
): Promise<boolean> => {
  const history = newRunId()
  const when = JSON.stringify({ cut, mended })
  const { ears, wrong } = watchman(most)
  const line: Ears['line'] = it => {
    ears.line?.(it)
    trouble.line?.(it)
  }
  try {
    trouble.begin()
    const thrown: Error | null = await forward(fleet, history, cut, { ...ears, line }).then(() => null, it => it) // biome-ignore format: one line
    trouble.end()
    const died = thrown?.message === NO_POWER
    assert.ok(died || (thrown instanceof Problem && thrown.exit === 5), `${when}: ${thrown?.stack}`)
    if (!died) assert.equal(await seen(fleet), start, when)
    if (mended) {
      // Of an abort that nobody answered, the next run hears.
      await forward(fleet, history, {}, ears).catch(it => {
        if (!/aborted/.test(it.message)) throw it
        return forward(fleet, history, {}, ears)
      })
      assert.equal(await seen(fleet), moved, `${when}, rolled out anew`)
    }
    await back(fleet, history, {}, ears)
    assert.equal(await seen(fleet), start, `${when}, taken back`)
    assert.equal(wrong, [], when)
    return died
  } finally {
    rmSync(stateOf(fleet, history), { recursive: true, force: true })
    rmSync(fleet.log, { force: true })
  }
}
