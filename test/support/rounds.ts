import * as assert from 'uvu/assert'
import type { HostAddress } from '../../src/hosts/address.ts'
import { hostPlay } from '../../src/hosts/play.ts'
import type { Ssh } from '../../src/hosts/ssh.ts'
import type { Task } from '../../src/hosts/tasks/all.ts'
import { quiet } from './plays.ts'

export type Round = { tasks: Task[]; handlers?: Record<string, string> }

/**
 * One play there and back on a real host: what check mode says is done, a second run finds nothing, undo (twice) gives
 * back what `snapshot` sees. Returns the names and diffs that were planned.
 */
export const roundTrip = async (
  { ssh, host, snapshot }: { ssh: Ssh; host: HostAddress; snapshot: () => string },
  { tasks, handlers = {} }: Round,
  during: () => void = () => {},
): Promise<{ name: string; action: string; diff?: string }[]> => {
  const want = { host, tasks, handlers }
  const look = async () => (await hostPlay.read(want, { ssh }, quiet))!
  const before = await look()
  const there = snapshot()
  assert.is(snapshot(), there, 'looking changes nothing')
  const plan = hostPlay.diff(want, before)
  const now = await hostPlay.apply(want, { ssh }, before, quiet)
  assert.is(hostPlay.diff(want, now), null)
  assert.is(hostPlay.diff(want, await look()), null, 'a second run finds nothing to do')
  during()
  for (const time of ['first', 'second']) {
    await hostPlay.undo!(want, { ssh }, before, now, quiet)
    assert.is(snapshot(), there, `the ${time} undo gives back what was there`)
  }
  assert.equal(await look(), before)
  return (plan?.details ?? []).map(it => ({ ...it }))
}
