/** What a host had told of a change before its runner was killed; steps count from 1, in their order. */
export type Told = { steps: string[]; ok: number; handled: string[]; failed: string | undefined }

/** What such a change has come to, by the host's own record. */
export const cutShort = ({ steps, ok, handled, failed }: Told): string => {
  const list = (what: string, names: string[]) => (names.length ? [`${what}: ${names.join(', ')}`] : [])
  const done = [...steps.slice(0, ok), ...handled]
  if (failed) return [`${failed} failed`, ...list('in doubt, since it was being taken back', done)].join('; ')
  const all = ok === steps.length
  return [
    ...list('done', done),
    // A guarded one is taken back by the host itself.
    ...(all ? ['in doubt: its handlers or health checks, which the host still owes'] : [`in doubt: ${steps[ok]}`]),
    ...list('not begun', steps.slice(ok + 1)),
  ].join('; ')
}
