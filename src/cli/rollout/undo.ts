import { readJournals } from '../../engine/journal.ts'
import { Problem } from '../../engine/problem.ts'
import { type ToUndo, type UndoOutcome, undoAll } from '../../engine/undo.ts'
import type { World } from '../../engine/world.ts'
import type { Kube } from '../../rollout/kube/kube.ts'
import { sweepProbes } from '../../rollout/probe-pod.ts'
import { kinds } from '../clients.ts'
import type { Session } from '../session.ts'
import { clusterOf } from './view.ts'

type At = { namespace?: string; object?: { metadata: { namespace?: string } } }

/** Takes these steps of a rollout back; what a killed run left of its probe pods goes first. */
export const undoRollout = async (session: Session, list: readonly ToUndo[], world: World): Promise<UndoOutcome> => {
  const kube = clusterOf(session)
  const named = list.map(({ want }) => (want as At).namespace ?? (want as At).object?.metadata.namespace)
  const ours = session.context.tenants.map(it => it.namespace)
  const places = new Set([...named, ...leftProbes(session)].filter(it => it !== undefined && ours.includes(it)))
  if (kube) await Promise.all([...places].map(it => sweepIn(session, kube, it!)))
  return undoAll(list, kinds, world)
}

/** Namespaces in which a run that never ended may have left probe pods. */
export const leftProbes = ({ state, run }: Session): string[] => {
  const history = readJournals(state)
  const ended = new Set([run, ...history.flatMap(it => (it.event === 'run-ended' ? [it.run] : []))])
  const notes = history.flatMap(it =>
    it.event === 'note' && it.topic === 'probe-pod' && !ended.has(it.run) ? [it] : [],
  )
  return [...new Set(notes.map(it => (it.data as { namespace: string }).namespace))]
}

/** Nothing that is taken back waits for it: such a pod ends by itself. */
const sweepIn = async ({ run, output }: Session, kube: Kube, namespace: string): Promise<void> => {
  try {
    await sweepProbes(kube, namespace, run)
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown
    output.say(`probe pods in ${namespace} may be left: ${thrown.message}: ${thrown.why}`)
  }
}
