import { textOf, tryRecord } from './apply.ts'
import type { Recorded } from './journal.ts'
import type { Json } from './json.ts'
import type { AnyKind } from './kind.ts'
import { Problem } from './problem.ts'
import { walkGraph } from './walk.ts'
import { reportFor, type World } from './world.ts'

/** One thing to unmake, from the journal alone. `now` undefined: started, no ending; the world is asked. */
export type ToUndo = {
  step: string
  kind: string
  group: string
  needs: string[]
  want: Json
  before: Json | null
  now: Json | null | undefined
}

/**
 * What stands of all that the journals tell, oldest first: the state before our first touch, the latest after.
 * A step that was undone is forgotten; one that was changed in several runs is undone once, to before the first.
 */
export const standing = (history: readonly Recorded[]): ToUndo[] => {
  const open = new Map<string, ToUndo>()
  for (const it of history) {
    if (it.event === 'started') {
      const earlier = open.get(it.step)
      const { step, kind, group, needs, want } = it
      open.set(step, { step, kind, group, needs, want, before: earlier ? earlier.before : it.before, now: undefined })
    } else if (it.event === 'done') {
      const started = open.get(it.step)
      if (started) started.now = it.now
    } else if (it.event === 'undone') {
      open.delete(it.step)
    }
  }
  return [...open.values()]
}

export type UndoOutcome = { undone: string[]; failures: { step: string; error: unknown }[]; left: string[] }

/** Unmakes things, children before their parents. A failure keeps its parents standing; the rest goes on. */
export const undoAll = async (
  list: readonly ToUndo[],
  kinds: ReadonlyMap<string, AnyKind>,
  world: World,
  { width = 16 } = {},
): Promise<UndoOutcome> => {
  const byId = new Map(list.map(it => [it.step, it]))
  const children = new Map<string, string[]>(list.map(it => [it.step, []]))
  for (const it of list) for (const parent of it.needs) children.get(parent)?.push(it.step)
  const outcome: UndoOutcome = { undone: [], failures: [], left: [] }
  const visit = async (id: string): Promise<boolean> => {
    if (world.stop.aborted) {
      outcome.left.push(id)
      return false
    }
    const began = Date.now()
    try {
      await undoOne(byId.get(id)!, kinds, world)
      outcome.undone.push(id)
      world.watch({ event: 'step-undone', step: id, durationMs: Date.now() - began })
      return true
    } catch (error) {
      tryRecord(world, { event: 'undo-failed', step: id, error: textOf(error) })
      world.watch({ event: 'undo-failed', step: id, error })
      outcome.failures.push({ step: id, error })
      return false
    }
  }
  const ids = [...byId.keys()].reverse()
  outcome.left.push(...(await walkGraph(ids, id => children.get(id) ?? [], visit, { width })))
  return outcome
}

const undoOne = async (it: ToUndo, kinds: ReadonlyMap<string, AnyKind>, world: World) => {
  const kind = kinds.get(it.kind)
  if (!kind?.undo) {
    throw new Problem(`${it.step} can't be undone`, {
      why: kind ? `a ${it.kind} is one-way` : `this version knows no kind ${it.kind}`,
      next: kind ? 'undo it by hand' : 'roll back with the version that made it',
    })
  }
  const report = reportFor(it.step, world)
  const clients = await world.clientsFor(kind)
  world.journal.record({ event: 'undoing', step: it.step })
  world.watch({ event: 'step-undoing', step: it.step, summary: it.step })
  const now = it.now === undefined ? await kind.read(it.want, clients, report) : it.now
  await kind.undo(it.want, clients, it.before, now, report)
  world.journal.record({ event: 'undone', step: it.step })
}
