import type { Json } from '../engine/json.ts'
import type { Staged } from './staged.ts'

/** What is live of a Desired that has been made or seen; null: not there. */
export const liveOf = ({ plan }: Staged, id: string): Record<string, Json> | null =>
  (plan.seen.get(id)?.live ?? null) as Record<string, Json> | null

export const kubeconfigOf = (staged: Staged): string => {
  const { session, site } = staged
  return String(session.context.cluster.kubeconfig ?? liveOf(staged, site.ids.kubeconfig)?.path)
}

export const kubeOf = (staged: Staged) => staged.session.clients.kube(kubeconfigOf(staged))
