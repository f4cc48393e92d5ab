import { type Kube, MANAGER } from './kube/kube.ts'
import { isGone } from './kube/problem.ts'
import { MANAGED_BY } from './tenancy.ts'
import { calledAs, queryOf, type Workload, type WorkloadRef } from './workload.ts'
import { kindOf, templateOf } from './workloads/read.ts'

export type Selector = { labels?: Record<string, string> | undefined; kinds: readonly WorkloadRef['kind'][] }

/** `left`: what a selector names and nobody should move, and why. */
export type Selected = { found: WorkloadRef[]; left: { workload: WorkloadRef; why: string }[] }

/** What selectors name in a namespace, beside what is known by name already; by kind and name, so that no order of lists shows. */
export const selectWorkloads = async (
  kube: Kube,
  namespace: string,
  selectors: readonly Selector[],
  known: readonly WorkloadRef[],
): Promise<Selected> => {
  const asked = selectors.flatMap(({ kinds, labels = {} }) => kinds.map(kind => ({ kind, labels })))
  const lists = await Promise.all(asked.map(it => listed(kube, namespace, it)))
  const all = new Map(lists.flat().map(it => [calledAs(refOf(it)), it]))
  for (const it of known) all.delete(calledAs(it))
  const selected: Selected = { found: [], left: [] }
  for (const [, it] of [...all].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (it.metadata.labels?.[MANAGED_BY] === MANAGER || isPassing(it)) continue
    const workload = refOf(it)
    const why = reasonAgainst(it)
    if (why) selected.left.push({ workload, why })
    else selected.found.push(workload)
  }
  return selected
}

const refOf = ({ kind, metadata: { name } }: Workload): WorkloadRef => ({ kind: kind as WorkloadRef['kind'], name })

/** Pods and Jobs that a controller made, which come and go with it, and those that have ended. */
const isPassing = ({ kind, metadata, status }: Workload): boolean => {
  if (kind !== 'Pod' && kind !== 'Job') return false
  const ended = (status?.conditions ?? []).some(it => /^(Complete|Failed)$/.test(it.type) && it.status === 'True')
  return (
    ended ||
    /^(Succeeded|Failed)$/.test(`${status?.phase}`) ||
    (metadata.ownerReferences ?? []).some(it => it.controller)
  )
}

const reasonAgainst = (it: Workload): string | null => {
  const owner = it.metadata.ownerReferences?.find(owner => owner.controller)
  if (owner) return `it belongs to ${owner.kind} ${owner.name}, which makes it as it wants`
  if (it.metadata.deletionTimestamp) return 'it is being deleted'
  const { spec } = templateOf(it, kindOf(refOf(it)))
  return spec.hostNetwork ? 'its pods use the network of their nodes, which no NetworkPolicy sees' : null
}

const listed = async (
  kube: Kube,
  namespace: string,
  { kind, labels }: { kind: WorkloadRef['kind']; labels: Record<string, string> },
) => {
  const labelSelector = queryOf({ matchLabels: labels })
  const { apiVersion } = kindOf({ kind })
  try {
    return (await kube.list<Workload>({ apiVersion, kind, namespace, ...(labelSelector && { labelSelector }) })).items
  } catch (thrown) {
    if (isGone(thrown)) return [] // a cluster without that kind
    throw thrown
  }
}
