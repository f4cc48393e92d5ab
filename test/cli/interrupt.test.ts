import * as assert from 'uvu/assert'
import { listen } from '../../src/cli/interrupt.ts'
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
