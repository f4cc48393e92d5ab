import type { ToUndo } from '../engine/undo.ts'
import type { Context } from '../inventory/context.ts'
import { TENANT_LABEL } from '../rollout/gateway-pod.ts'

/** Steps of a rollout are journalled under this and the phase's name. */
export const groupOf = (phase: string): string => `rollout/${phase}`
export const isRollout = ({ group }: { group: string }): boolean => group.startsWith('rollout/')

/** Is a step of a rollout about one of the tenants that this run is for? */
export const isOf = ({ context }: { context: Pick<Context, 'tenants'> }) => {
  const namespaces = context.tenants.map(it => it.namespace)
  const tenants = context.tenants.map(it => it.tenant)
  return ({ want }: Pick<ToUndo, 'want'>): boolean => {
    const { namespace, object, labels, movers = [] } = want as AnyWant
    // What was taken out of a list that tenants share is missed by each of them.
    if (movers.some(it => namespaces.includes(it.namespace))) return true
    // Beside others', in no namespace of its own.
    const owner = (labels ?? object?.metadata.labels)?.[TENANT_LABEL]
    if (owner !== undefined) return tenants.includes(owner)
    return namespaces.includes(namespace ?? object?.metadata.namespace ?? '')
  }
}

type AnyWant = {
  namespace?: string
  labels?: Record<string, string>
  movers?: { namespace: string }[]
  object?: { metadata: { namespace?: string; labels?: Record<string, string> } }
}
