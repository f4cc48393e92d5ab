import type { Loose, Obj } from '../objects/object.ts'
import type { Resource } from '../objects/resources.ts'
import { selects } from '../objects/selectors.ts'

/** One write as admission sees it. `namespace`: the object of the namespace it is in, if it is in one. */
export type Review = {
  of: Resource
  operation: 'CREATE' | 'UPDATE' | 'DELETE'
  sub: string | undefined
  object: Obj | undefined
  before: Obj | undefined
  namespace: Obj | undefined
}

/** Whether match constraints or a binding's match resources are for this write; none at all are for every one. */
export const isFor = (match: Loose, review: Review): boolean => {
  if (!match) return true
  const { resourceRules, excludeResourceRules = [], namespaceSelector, objectSelector } = match
  if (resourceRules && !resourceRules.some((it: Loose) => covers(it, review))) return false
  if (excludeResourceRules.some((it: Loose) => covers(it, review))) return false
  const home = review.of.kind === 'Namespace' ? (review.object ?? review.before) : review.namespace
  if (namespaceSelector && home && !selects(namespaceSelector, home.metadata.labels)) return false
  const isPicked = (it: Obj | undefined) => !!it && selects(objectSelector, it.metadata.labels)
  return !objectSelector || isPicked(review.object) || isPicked(review.before)
}

const covers = (rule: Loose, { of, operation, sub, object, before }: Review): boolean => {
  const has = (all: string[] = [], one: string) => all.includes('*') || all.includes(one)
  const name = (object ?? before)!.metadata.name
  const { resourceNames = [], scope = '*' } = rule
  const isScope = scope === '*' || (scope === 'Namespaced') === of.namespaced
  const isResource = (rule.resources ?? []).some((it: string) => isNamed(it, of.plural, sub))
  const isKind = has(rule.apiGroups, of.group) && has(rule.apiVersions, of.version) && isResource
  return (
    isKind && has(rule.operations, operation) && isScope && (resourceNames.length === 0 || resourceNames.includes(name))
  )
}

// A star alone leaves subresources out; after a slash it is any of them.
const isNamed = (pattern: string, plural: string, sub: string | undefined): boolean => {
  const [resource, part] = pattern.split('/')
  if (resource !== '*' && resource !== plural) return false
  return part === undefined ? sub === undefined : part === '*' || part === sub
}
