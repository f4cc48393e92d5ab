import type { ScalewayState } from './records.ts'

/**
 * The state of `ms` ago. While nobody asks for the past (`span` 0) nothing is kept; a change within a twentieth of
 * the span is put off to its end, so that at most some twenty copies exist however much is written.
 */
export const createHistory = (state: ScalewayState) => {
  let copies: { at: number; state: ScalewayState }[] = []
  let span = 0
  let timer: NodeJS.Timeout | null = null

  const copy = () => {
    timer = null
    const at = performance.now()
    copies.push({ at, state: JSON.parse(JSON.stringify(state)) })
    // The youngest copy older than the span is the one that a read of that long ago needs.
    while (copies.length > 1 && copies[1]!.at <= at - span) copies.shift()
  }

  return {
    keep(ms: number) {
      if (span === ms) return
      span = ms
      copies = []
      if (timer) clearTimeout(timer)
      timer = null
      if (span > 0) copy()
    },
    changed() {
      if (span === 0 || timer) return
      const wait = copies.at(-1)!.at + span / 20 - performance.now()
      if (wait <= 0) copy()
      else timer = setTimeout(copy, wait).unref()
    },
    ago(ms: number): ScalewayState {
      const then = performance.now() - ms
      return (copies.findLast(it => it.at <= then) ?? copies[0])!.state
    },
  }
}
