import { textOf, tryRecord } from './apply.ts'
import type { Recorded } from './journal.ts'
import type { Json } from './json.ts'
import type { AnyKind } from './kind.ts'
import { Problem } from './problem.ts'
import { walkGraph } from './walk.ts'
import { reportFor, type World } from './world.ts'

/** One thing to unmake, from the journal alone. `now` undefined: started, no ending; the world is asked. */
export type ToUndo = Layer & {
  /** The runs whose changes this takes back. */
  runs: string[]
}

/** What one run did to one step, on top of what earlier runs did. */
export type Layer = {
  run: string
  /** Where in the history it began. */
  at: number
  step: string
  kind: string
  group: string
  needs: string[]
  want: Json
  before: Json | null
  now: Json | null | undefined
  /** What was there before it is gone for good. */
  oneWay: boolean
}

/**
 * What stands of all that the journals tell, oldest first. A step that several runs changed is undone once, from the
 * first layer that is asked for, with all that lies on it: the state before that layer, the latest after.
 */
export const standing = (history: readonly Recorded[], from: (layer: Layer) => boolean = () => true): ToUndo[] =>
  [...layersIn(history).values()]
    .flatMap(layers => {
      const first = layers.findIndex(from)
      if (first < 0) return []
      const mine = layers.slice(first)
      const [{ at, before }] = mine as [Layer]
      const oneWay = before !== null && mine.some(it => it.oneWay)
      return [{ ...mine.at(-1)!, at, before, oneWay, runs: mine.map(it => it.run) }]
    })
    .sort((a, b) => a.at - b.at)

const layersIn = (history: readonly Recorded[]): Map<string, Layer[]> => {
  const open = new Map<string, Layer[]>()
  for (const [at, it] of history.entries()) {
    if (it.event === 'started') {
      const layers = open.get(it.step) ?? []
      const last = layers.at(-1)
      const same = last?.run === it.run ? last : undefined
      const { run, step, kind, group, needs, want } = it
      const oneWay = it.oneWay === true || same?.oneWay === true
      const layer = { run, at, step, kind, group, needs, want, before: it.before, now: undefined, oneWay }
      open.set(step, [
        ...(same ? layers.slice(0, -1) : layers),
        same ? { ...layer, at: same.at, before: same.before } : layer,
      ])
    } else if (it.event === 'done') {
      const last = open.get(it.step)?.at(-1)
      if (last) last.now = it.now
    } else if (it.event === 'undone') {
      const left = (open.get(it.step) ?? []).filter(layer => it.runs && !it.runs.includes(layer.run))
      if (left.length > 0) open.set(it.step, left)
      else open.delete(it.step)
    }
  }
  return open
}

export type UndoOutcome = { undone: string[]; failures: { step: string; error: unknown }[]; left: string[] }

/** Unmakes things, children before their parents. A failure keeps its parents standing; the rest goes on. */
export const undoAll = async (
  list: readonly ToUndo[],
  kinds: ReadonlyMap<string, AnyKind>,
  world: World,
  { width = 64 } = {},
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
  if (it.oneWay) {
    throw new Problem(`${it.step} can't be brought back`, {
      why: 'it was taken down so that it, or what it lives in, could be replaced',
      next: 'put the old values back into the inventory and deploy',
    })
  }
  const report = reportFor(it.step, world)
  const clients = await world.clientsFor(kind)
  world.journal.record({ event: 'undoing', step: it.step })
  world.watch({ event: 'step-undoing', step: it.step, summary: it.step })
  const now = it.now === undefined ? await kind.read(it.want, clients, report) : it.now
  await kind.undo(it.want, clients, it.before, now, report)
  world.journal.record({ event: 'undone', step: it.step, runs: it.runs })
}
