import type { Callback, Test } from 'uvu'
import { suite as uvuSuite } from 'uvu'

const registered = new Map<string, Test>()

/**
 * uvu's suite with its silences removed: it runs by itself (no `.run()` to forget), a test that never settles
 * fails after `seconds`, a thrown non-Error fails, and a file without tests fails. The time is for hangs only: a
 * machine that does much else besides is slow, and nothing is wrong.
 */
export const suite = (name: string, { seconds = 180 } = {}) => {
  if (registered.has(name)) throw new Error(`two suites are named ${name}`)
  const it = uvuSuite(name)
  registered.set(name, it)
  let count = 0
  const timed =
    (title: string, run: Callback<Record<string, unknown>>): Callback<Record<string, unknown>> =>
    async context => {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`${title}: not settled within ${seconds} s`)), seconds * 1000)
      })
      try {
        await Promise.race([run(context), late])
      } catch (thrown) {
        throw thrown instanceof Error ? thrown : new Error(`${title} threw ${String(thrown)}`)
      } finally {
        clearTimeout(timer)
      }
    }
  queueMicrotask(() => {
    if (count === 0) it(`${name} has tests`, () => Promise.reject(new Error('this suite has no test')))
    it.run()
  })
  return {
    test(title: string, run: Callback<Record<string, unknown>>) {
      count++
      it(title, timed(title, run))
    },
    /** Runs before the first test; a throw fails the suite. */
    before(run: () => Promise<void> | void) {
      count++
      it('before', timed('before', run))
    },
    after(run: () => Promise<void> | void) {
      it.after(run)
    },
  }
}
