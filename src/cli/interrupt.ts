import type { Output } from './output.ts'
import type { Interrupt } from './session.ts'

/** A terminal that goes away, e.g. with a lost connection, means no more than Ctrl-C does. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The first Ctrl-C starts nothing new and finishes what is open; the second stops waiting. */
export const listen = (output: Pick<Output, 'say'>): Interrupt & { close(): void } => {
  const stop = new AbortController()
  const abort = new AbortController()
  let first = 0
  const onSignal = () => {
    // A process group gets a signal at once from several sides: that is one wish.
    if (stop.signal.aborted) return void (Date.now() - first > 700 && abort.abort())
    first = Date.now()
    output.say('finishing what is under way; press again to stop waiting')
    stop.abort()
  }
  for (const it of signals) process.on(it, onSignal)
  return {
    stop: stop.signal,
    abort: abort.signal,
    close() {
      for (const it of signals) process.off(it, onSignal)
    },
  }
}
