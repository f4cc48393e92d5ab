import type { Problem } from '../../engine/problem.ts'
import { type Held, NotLeader } from '../../rollout/kube/lease.ts'
import { KubeProblem } from '../../rollout/kube/problem.ts'
import type { Owned } from '../../scaleway/leftovers.ts'
import type { Session } from '../session.ts'
import { kubeconfigHere } from './kubeconfig-here.ts'

/** The lead of a destruction: no rollout of another machine is under way, and none begins. */
export type Lead = {
  /** Asked before each removal; false: another leads, or nobody knows. */
  stands(): Promise<boolean>
  endsWithCluster(): void
  readonly lost: Problem | undefined
}

export const noLead: Lead = { stands: async () => true, endsWithCluster() {}, lost: undefined }

/**
 * Takes the Lease of the cluster, whose kubeconfig is brought here where it is not. Throws NotLeader (exit 4) where
 * another holds it. A cluster that does not answer is not led: nothing in it can be changed by others either.
 */
export const leadDestroy = async (session: Session, owned: readonly Owned[]): Promise<Lead> => {
  const { clients, output } = session
  const alone = (why: string) => {
    output.say(`note: nobody could ask whether another machine changes the cluster: ${why}`)
    return noLead
  }
  const path = await kubeconfigHere(session, async () => owned)
  if (path === null) return alone('its kubeconfig is not here, and Scaleway gives none')
  if (path === undefined || !clients.lead) return noLead
  try {
    return leadBy(await clients.lead(path))
  } catch (thrown) {
    const silent = thrown instanceof KubeProblem && (thrown.status === 0 || thrown.status >= 500)
    const barred = thrown instanceof KubeProblem && session.flags.force
    if (!silent && !barred) throw thrown
    return alone(thrown.why)
  }
}

const leadBy = (held: Held): Lead => {
  let lost: Problem | undefined
  let over = false
  return {
    async stands() {
      if (lost) return false
      try {
        if (!over) await held.check()
      } catch (thrown) {
        // An API that does not answer is going, or is none of ours to save.
        if (thrown instanceof NotLeader && !over) lost = thrown
      }
      return lost === undefined
    },
    endsWithCluster() {
      over = true
      held.forget()
    },
    get lost() {
      return lost
    },
  }
}
