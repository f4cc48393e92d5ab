import type { Json } from '../../engine/json.ts'
import type { Context } from '../../inventory/context.ts'
import { TENANT_LABEL } from '../../rollout/gateway-pod/manifests.ts'

/** Steps of a rollout are journalled under this and the phase's name. */
export const groupOf = (phase: string): string => `rollout/${phase}`
export const isRollout = ({ group }: { group: string }): boolean => group.startsWith('rollout/')

type Whose = { context: Pick<Context, 'tenants'> }
type Wanting = { want: Json }

/** Is a step of a rollout one of the tenants' that this run is for? */
export const owns = ({ context }: Whose) => {
  const namespaces = context.tenants.map(it => it.namespace)
  const tenants = context.tenants.map(it => it.tenant)
  return ({ want }: Wanting): boolean => {
    const { namespace, object, labels } = want as AnyWant
    // Beside others', in no namespace of its own.
    const owner = (labels ?? object?.metadata.labels)?.[TENANT_LABEL]
    if (owner !== undefined) return tenants.includes(owner)
    return namespaces.includes(namespace ?? object?.metadata.namespace ?? '')
  }
}

/** Is it about one of them? What was taken out of a list that tenants share is missed by each of them. */
export const isOf = (whose: Whose) => {
  const own = owns(whose)
  const namespaces = whose.context.tenants.map(it => it.namespace)
  return (it: Wanting): boolean => {
    const { movers = [] } = it.want as AnyWant
    return own(it) || movers.some(({ namespace }) => namespaces.includes(namespace))
  }
}

type AnyWant = {
  namespace?: string
  labels?: Record<string, string>
  movers?: { namespace: string }[]
  object?: { metadata: { namespace?: string; labels?: Record<string, string> } }
}
