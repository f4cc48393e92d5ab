import { Problem } from '../../engine/problem.ts'
import type { ToUndo } from '../../engine/undo.ts'
import { appliedBy } from '../../rollout/kube/fields.ts'
import { type Kube, MANAGER } from '../../rollout/kube/kube.ts'
import type { KubeObject } from '../../rollout/kube/object.ts'
import { KubeProblem } from '../../rollout/kube/problem.ts'
import { EGRESS_LABEL } from '../../rollout/manifests.ts'
import { type Workload, type WorkloadRef, workloadKinds } from '../../rollout/workload.ts'
import { egressName } from '../../rollout/workload-egress.ts'
import { kindOf, templateOf, type WorkloadAt } from '../../rollout/workloads/read.ts'
import type { Session } from '../session.ts'
import { isOf } from './steps.ts'
import { clusterOf } from './view.ts'

type In = Pick<Session, 'clients' | 'context'>

/**
 * What workloads stand on goes only with all of them. Throws where a run of another machine has moved some, which no
 * journal here knows: they would be left with a label and a proxy, and without policy, settings or Service.
 */
export const refuseLosingGround = async ({ clients, context }: In, list: readonly ToUndo[]): Promise<void> => {
  const { strange } = await groundIn({ clients, context }, list)
  if (strange.length === 0) return
  throw new Problem('workloads would lose what they leave by', {
    why: `${strange.join(', ')} moved in a run that no journal here knows`,
    next: `roll back first where that run was, or bring its journal here, into .egress/${context.context}/runs; where it is lost, rollback.ts --from-cluster takes back what the cluster shows; nothing was touched`,
  })
}

/**
 * The same for who cannot refuse: what may go, and what stays because others stand on it, or because nobody can tell
 * (`problem`).
 */
export const withoutGround = async (session: In, list: readonly ToUndo[]): Promise<Apart> => {
  const apart = (staying: ReadonlySet<string>) => ({
    goes: list.filter(it => !staying.has(it.step)),
    stays: list.filter(it => staying.has(it.step)),
  })
  try {
    const { strange, steps } = await groundIn(session, list)
    return { ...apart(new Set(steps)), strange }
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown
    const all = list.filter(it => it.kind !== 'workload-egress' && it.before === null)
    return { ...apart(new Set(all.map(it => it.step))), strange: [], problem: thrown }
  }
}

export type Apart = { goes: ToUndo[]; stays: ToUndo[]; strange: string[]; problem?: Problem }

/** `strange`: workloads that stand on what would go, and are not in the list. `steps`: what they stand on. */
const groundIn = async ({ clients, context }: In, list: readonly ToUndo[]) => {
  const known = new Set(list.flatMap(nameOf))
  const found = await Promise.all(
    context.tenants.map(async tenant => {
      const mine = list.filter(isOf({ context: { tenants: [tenant] } }))
      const going = mine.filter(it => it.kind !== 'workload-egress' && it.before === null)
      const { kubeconfig } = (going.find(it => pathIn(it) !== undefined)?.want ?? {}) as Want
      if (kubeconfig === undefined) return { strange: [], steps: [] }
      const moved = (await movedIn(clients.kube(kubeconfig), tenant.namespace)).map(it => egressName(it.namespace, it))
      const strange = moved.filter(it => !known.has(it))
      return { strange, steps: strange.length > 0 ? going.map(it => it.step) : [] }
    }),
  )
  return { strange: found.flatMap(it => it.strange), steps: found.flatMap(it => it.steps) }
}

const pathIn = ({ want }: ToUndo) => (want as unknown as Want).kubeconfig

/** Throws where workloads of these tenants have moved and no journal here knows how to take them back. */
export const refuseUnknown = async (session: Session, known: readonly ToUndo[]): Promise<void> => {
  const kube = clusterOf(session)
  if (!kube) return
  const { tenants, context } = session.context
  const found = await Promise.all(tenants.map(it => movedIn(kube, it.namespace)))
  const ours = new Set(known.flatMap(nameOf))
  const names = found.flat().map(it => egressName(it.namespace, it))
  const strange = names.filter(it => !ours.has(it))
  if (strange.length === 0) return
  throw new Problem('no journal here knows how to take these back', {
    why: `${strange.join(', ')} moved in runs of another machine, or of journals that are gone`,
    next: `roll back where they ran, or bring their journals here, into .egress/${context}/runs; where those are lost, rollback.ts --from-cluster takes back what the cluster shows; nothing was touched`,
  })
}

const nameOf = ({ kind, want }: Pick<ToUndo, 'kind' | 'want'>): string[] => {
  if (kind !== 'workload-egress') return []
  const { namespace, kind: of, name } = want as unknown as Want & WorkloadRef
  return [egressName(namespace ?? '', { kind: of, name })]
}

type Want = { kubeconfig?: string; namespace?: string }

/** What carries the label because we put it there. A kind that may not be listed is passed over. */
export const movedIn = async (kube: Kube, namespace: string): Promise<WorkloadAt[]> => {
  const lists = await Promise.all(
    workloadKinds.map(async kind => {
      const of = kindOf({ kind })
      const { items } = await kube.list<Workload>({ apiVersion: of.apiVersion, kind, namespace }).catch(thrown => {
        if (thrown instanceof KubeProblem && [403, 404].includes(thrown.status)) return { items: [] }
        throw thrown
      })
      const ours = items.filter(
        it =>
          appliedBy(it as KubeObject, MANAGER) !== null &&
          templateOf(it, of).metadata?.labels?.[EGRESS_LABEL.key] === EGRESS_LABEL.value,
      )
      return ours.map(it => ({ namespace, kind, name: it.metadata.name }))
    }),
  )
  return lists.flat()
}
