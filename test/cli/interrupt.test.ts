import * as assert from 'uvu/assert'
import type { RolloutPhase } from '../../playbooks/rollout.ts'
import { listen } from '../../src/cli/interrupt.ts'
import type { PhaseEnd } from '../../src/cli/rollout/phase.ts'
import { notHeld } from '../../src/cli/rollout/run.ts'
import type { Session } from '../../src/cli/session.ts'
import type { Problem } from '../../src/engine/problem.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'

const { test } = suite('cli: signals')

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  test(`${signal} finishes what is open and starts nothing new`, async () => {
    const lines: string[] = []
    const { stop, abort, close } = listen({ say: it => void lines.push(it) })
    try {
      process.kill(process.pid, signal)
      assert.ok(await until(async () => stop.aborted, 10))
      assert.not.ok(abort.aborted)
      assert.match(lines.join(), /finishing what is under way/)
    } finally {
      close()
    }
  })

for (const { signals, says } of [
  { signals: 1, says: /nothing is half-done/ },
  { signals: 2, says: /while something was under way/ },
])
  test(`after ${signals} of them a phase that was cut short says what may stand half-way`, async () => {
    const [once, never] = [AbortSignal.abort(), new AbortController().signal]
    const world = { stop: once, abort: signals > 1 ? once : never }
    const end = { outcome: { failures: [], skipped: [] }, failed: [] } as unknown as PhaseEnd
    const session = { world, run: 'r1', context: { tenants: [] } } as unknown as Session
    const { message, exit, next } = (await notHeld(session, {} as RolloutPhase, end)) as Problem
    assert.is(exit, 130)
    assert.match(message, says)
    assert.match(next, /deploy\.mjs --resume r1/)
  })
