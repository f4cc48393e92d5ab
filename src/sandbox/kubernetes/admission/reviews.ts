import type { Loose } from '../objects/object.ts'
import { isMap } from '../objects/object.ts'
import { badRequest } from '../objects/status.ts'
import type { Store } from '../objects/store.ts'
import type { Attempt, Caller } from './rbac.ts'
import { mayDo, rulesOf } from './rbac.ts'

/** Answers what is only asked and never stored: may I, may somebody, what may I, who am I. */
export const review = (
  store: Store,
  caller: Caller,
  kind: string,
  namespace: string | undefined,
  body: Loose,
): Loose => {
  const { spec = {} } = isMap(body) ? body : {}
  const answered = (status: Loose) => ({
    apiVersion: body?.apiVersion,
    kind,
    metadata: { ...body?.metadata, creationTimestamp: null },
    ...(kind !== 'SelfSubjectReview' && { spec }),
    status,
  })
  if (kind === 'SelfSubjectReview')
    return answered({
      userInfo: { username: caller.user, groups: caller.groups, ...(caller.uid && { uid: caller.uid }) },
    })
  if (kind === 'SelfSubjectRulesReview' && !spec.namespace) throw badRequest('no namespace on request')
  if (kind === 'SelfSubjectRulesReview') return answered(rulesOf(store, caller, spec.namespace ?? ''))
  const attempt = attemptOf(spec)
  if (kind === 'LocalSubjectAccessReview' && attempt.namespace !== namespace)
    throw badRequest('spec.resourceAttributes.namespace must match metadata.namespace')
  const who = kind === 'SelfSubjectAccessReview' ? caller : { user: spec.user ?? '', groups: spec.groups ?? [] }
  const { allowed, reason } = mayDo(store, who, attempt)
  return answered({ allowed, ...(reason && { reason }) })
}

const attemptOf = ({ resourceAttributes: it, nonResourceAttributes: other }: Loose): Attempt => {
  if (!it && !other) {
    const both = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
    throw badRequest(both)
  }
  if (other) return { verb: other.verb ?? '', path: other.path ?? '' }
  const { verb = '', group = '', resource = '', subresource, namespace, name } = it
  return { verb, group, resource, sub: subresource || undefined, namespace: namespace || undefined, name }
}
