import { Problem } from '../engine/problem.ts'
import type { ToUndo } from '../engine/undo.ts'
import { appliedBy } from '../rollout/fields.ts'
import { type Kube, MANAGER } from '../rollout/kube.ts'
import { KubeProblem } from '../rollout/kube-problem.ts'
import { EGRESS_LABEL } from '../rollout/manifests.ts'
import type { KubeObject } from '../rollout/object.ts'
import { calledAs, type Workload, type WorkloadRef, workloadKinds } from '../rollout/workload.ts'
import { kindOf, templateOf } from '../rollout/workloads/read.ts'
import { clusterOf } from './rollout-view.ts'
import type { Session } from './session.ts'

/**
 * What workloads stand on goes only with all of them. Throws where a run of another machine has moved some, which no
 * journal here knows: they would be left with a label and a proxy, and without policy, settings or Service.
 */
export const refuseLosingGround = async (
  { clients, context }: Pick<Session, 'clients' | 'context'>,
  list: readonly ToUndo[],
): Promise<void> => {
  const going = new Map<string, string>()
  const known = new Set<string>()
  for (const { kind, want, before } of list) {
    const { kubeconfig, namespace, object, ...rest } = want as unknown as Want
    const where = namespace ?? object?.metadata.namespace
    if (kind === 'workload-egress') known.add(`${where}/${calledAs(rest as WorkloadRef)}`)
    else if (where !== undefined && kubeconfig !== undefined && before === null) going.set(where, kubeconfig)
  }
  const mine = context.tenants.map(it => it.namespace)
  const looked = [...going].filter(([namespace]) => mine.includes(namespace))
  const found = await Promise.all(looked.map(([namespace, path]) => movedIn(clients.kube(path), namespace)))
  const strange = found.flat().filter(it => !known.has(it))
  if (strange.length === 0) return
  throw new Problem('workloads would lose what they leave by', {
    why: `${strange.join(', ')} moved in a run that no journal here knows`,
    next: `roll back first where that run was, or bring its journal here, into .egress/${context.context}/runs; nothing was touched`,
  })
}

/** Throws where workloads of these tenants have moved and no journal here knows how to take them back. */
export const refuseUnknown = async (session: Session, known: readonly ToUndo[]): Promise<void> => {
  const kube = clusterOf(session)
  if (!kube) return
  const { tenants, context } = session.context
  const found = await Promise.all(tenants.map(it => movedIn(kube, it.namespace)))
  const ours = new Set(known.flatMap(({ want }) => nameIn(want as unknown as Want)))
  const strange = found.flat().filter(it => !ours.has(it))
  if (strange.length === 0) return
  throw new Problem('no journal here knows how to take these back', {
    why: `${strange.join(', ')} moved in runs of another machine, or of journals that are gone`,
    next: `roll back where they ran, or bring their journals here, into .egress/${context}/runs; nothing was touched`,
  })
}

const nameIn = ({ namespace, kind, name }: Want & Partial<WorkloadRef>): string[] =>
  kind && name ? [`${namespace}/${calledAs({ kind, name })}`] : []

type Want = { kubeconfig?: string; namespace?: string; object?: KubeObject }

/** What carries the label because we put it there. A kind that may not be listed is passed over. */
const movedIn = async (kube: Kube, namespace: string): Promise<string[]> => {
  const lists = await Promise.all(
    workloadKinds.map(async kind => {
      const of = kindOf({ kind })
      const { items } = await kube.list<Workload>({ apiVersion: of.apiVersion, kind, namespace }).catch(thrown => {
        if (thrown instanceof KubeProblem) return { items: [] }
        throw thrown
      })
      const ours = items.filter(
        it =>
          appliedBy(it as KubeObject, MANAGER) !== null &&
          templateOf(it, of).metadata?.labels?.[EGRESS_LABEL.key] === EGRESS_LABEL.value,
      )
      return ours.map(it => `${namespace}/${calledAs({ kind, name: it.metadata.name })}`)
    }),
  )
  return lists.flat()
}
