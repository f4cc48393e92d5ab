import { type Recorded, readJournals } from '../../engine/journal.ts'
import { standing, type ToUndo, type UndoOutcome } from '../../engine/undo.ts'
import type { Context } from '../../inventory/context.ts'
import type { Session } from '../session.ts'
import { withoutGround } from './ground.ts'
import { endsRollout } from './passed.ts'
import { isOf, isRollout } from './steps.ts'
import { undoRollout } from './undo.ts'

/** What rollouts of these tenants did since each one's last that passed whole, also in runs that were killed. */
export const openRollout = (history: readonly Recorded[], { tenants }: Pick<Context, 'tenants'>): ToUndo[] => {
  const all = tenants.flatMap(it => {
    const last = history.findLastIndex(entry => endsRollout(entry, [it.tenant]))
    return standing(history, layer => layer.at > last).filter(isRollout).filter(isOf({ context: { tenants: [it] } })) // biome-ignore format: one line
  })
  // A step about several of them goes back to before all of what is open.
  const once = new Map<string, ToUndo>()
  for (const it of all.toSorted((a, b) => b.at - a.at)) once.set(it.step, it)
  return [...once.values()].sort((a, b) => a.at - b.at)
}

/** The open rollout of these tenants; absent: of all that the run is for. */
export const openOf = ({ context, state }: Session, tenants?: readonly string[]): ToUndo[] =>
  openRollout(readJournals(state), { tenants: context.tenants.filter(it => tenants?.includes(it.tenant) ?? true) })

/** Takes it back, from the journal. What workloads of another machine's runs stand on stays, and is told. */
export const takeBack = async (session: Session, tenants?: readonly string[]): Promise<UndoOutcome> => {
  const { goes, stays, strange, problem } = await withoutGround(session, openOf(session, tenants))
  const undone = await undoRollout(session, goes, { ...session.world, stop: new AbortController().signal })
  if (stays.length === 0) return undone
  const steps = stays.map(it => it.step)
  if (problem) {
    session.output.say(`nobody could tell who else stands on what this run made: ${problem.message}: ${problem.why}`)
    return { ...undone, left: [...undone.left, ...steps] }
  }
  const why = `${strange.join(', ')} moved in a run that no journal here knows, and leaves by it`
  session.output.say(
    `note: ${steps.join(', ')} stays: ${why}; rollback.ts --to start takes it away once that is undone`,
  )
  session.output.event('stays', { steps, why })
  return undone
}
