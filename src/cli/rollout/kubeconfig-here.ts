import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { bringKubeconfig } from '../../scaleway/kubeconfig.ts'
import type { Owned } from '../../scaleway/leftovers.ts'
import type { Session } from '../session.ts'

/**
 * Where the kubeconfig of this context is; brought from Scaleway where it is not here. Undefined: there is no cluster
 * that anybody could change. Null: there is one, and no way into it.
 */
export const kubeconfigHere = async (
  { context, state, clients }: Session,
  ownedIn: () => Promise<readonly Owned[]>,
): Promise<string | null | undefined> => {
  if (context.cluster.kubeconfig) return context.cluster.kubeconfig
  const path = join(state, 'kubeconfig')
  const owned = await ownedIn()
  const clusterId =
    owned.find(it => it.kind === 'cluster')?.id ??
    owned.find(it => it.kind === 'pool' && it.parent !== undefined)?.parent
  if (clusterId === undefined) return undefined
  if (existsSync(path)) return path
  // A cluster that goes or is locked gives none.
  const brought = await bringKubeconfig(await clients.scaleway(), { clusterId, path }).catch(() => false)
  return brought ? path : null
}
