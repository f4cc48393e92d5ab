import type { Loose, Obj } from '../objects/object.ts'
import { maybeKind } from '../objects/resources.ts'
import { selects } from '../objects/selectors.ts'
import type { Store } from '../objects/store.ts'
import type { Review } from './admission-match.ts'

/**
 * What a binding gives its policy as `params`, one evaluation each; null: it gives none. Throws the words of a real
 * server where what is asked for is not there and that is not allowed.
 */
export const paramsOf = (store: Store, policy: Obj, binding: Obj, review: Review): (Obj | null)[] => {
  const { paramKind } = policy.spec
  const { paramRef } = binding.spec
  if (!paramKind || !paramRef) return [null]
  const of = maybeKind(paramKind.apiVersion, paramKind.kind)
  if (!of)
    throw new Error(
      `failed to find resource referenced by paramKind: '${paramKind.apiVersion}, Kind=${paramKind.kind}'`,
    )
  const home = of.namespaced ? (paramRef.namespace ?? (review.object ?? review.before)!.metadata.namespace) : undefined
  if (of.namespaced && !home)
    throw new Error('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources')
  const found = paramRef.name ? [store.get(of, home, paramRef.name)] : picked(store.sorted(of, home), paramRef.selector)
  const there = found.filter(it => it !== undefined)
  if (there.length > 0 || paramRef.parameterNotFoundAction === 'Allow') return there
  throw new Error('no params found for policy binding with `Deny` parameterNotFoundAction')
}

const picked = (all: Obj[], selector: Loose): Obj[] => all.filter(it => selects(selector, it.metadata.labels))
