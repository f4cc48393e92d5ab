import type { Kube } from '../kube/kube.ts'
import type { Metadata } from '../kube/object.ts'
import { ownedBy, type Pod, queryOf, type Workload } from '../workload.ts'

type Sort = { apiVersion: string; kind: string }

const PODS: Sort = { apiVersion: 'v1', kind: 'Pod' }

/** Everybody's of one sort in the workload's namespace that its selector finds; without a selector all of them. */
export const near = async <T = Pod>(
  kube: Pick<Kube, 'list'>,
  { metadata: { namespace }, spec: { selector } }: Workload,
  sort: Sort = PODS,
): Promise<T[]> => {
  const where = { ...(namespace && { namespace }), ...(selector && { labelSelector: queryOf(selector) }) }
  return (await kube.list<T>({ ...sort, ...where })).items
}

/** Those near that are its own. */
export const own = async <T extends { metadata: Metadata } = Pod>(
  kube: Pick<Kube, 'list'>,
  workload: Workload,
  sort: Sort = PODS,
): Promise<T[]> => (await near<T>(kube, workload, sort)).filter(it => ownedBy(it.metadata, workload.metadata.uid))
