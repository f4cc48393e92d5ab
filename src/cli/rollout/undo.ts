import { Problem } from '../../engine/problem.ts'
import { type ToUndo, type UndoOutcome, undoAll } from '../../engine/undo.ts'
import type { World } from '../../engine/world.ts'
import { sweepProbes } from '../../rollout/probe-pod.ts'
import { kinds } from '../clients.ts'
import type { Session } from '../session.ts'

type At = { kubeconfig?: string; namespace?: string; object?: { metadata: { namespace?: string } } }

/** Takes these steps of a rollout back; what a killed run left of its probe pods goes first. */
export const undoRollout = async (session: Session, list: readonly ToUndo[], world: World): Promise<UndoOutcome> => {
  const places = new Map(
    list.flatMap(({ want }) => {
      const { kubeconfig, namespace, object } = want as At
      const at = namespace ?? object?.metadata.namespace
      const ours = session.context.tenants.some(it => it.namespace === at)
      return kubeconfig !== undefined && at !== undefined && ours ? [[at, kubeconfig] as const] : []
    }),
  )
  await Promise.all([...places].map(([namespace, kubeconfig]) => sweepIn(session, namespace, kubeconfig)))
  return undoAll(list, kinds, world)
}

/** Nothing that is taken back waits for it: such a pod ends by itself. */
const sweepIn = async ({ clients, run, output }: Session, namespace: string, kubeconfig: string): Promise<void> => {
  try {
    await sweepProbes(clients.kube(kubeconfig), namespace, run)
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown
    output.say(`probe pods in ${namespace} may be left: ${thrown.message}: ${thrown.why}`)
  }
}
