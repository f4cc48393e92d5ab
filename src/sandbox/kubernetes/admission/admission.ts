import { randomUUID } from 'node:crypto'
import type { Loose, Obj } from '../objects/object.ts'
import { apiVersionOf, kind } from '../objects/resources.ts'
import { forbidden, Refused } from '../objects/status.ts'
import type { Store } from '../objects/store.ts'
import type { Review } from './admission-match.ts'
import { isFor } from './admission-match.ts'
import { paramsOf } from './admission-params.ts'
import { compile, type Expression, toCel, trouble } from './cel.ts'
import type { Caller } from './rbac.ts'

type Asking = { caller: Caller; dryRun: boolean; fieldManager: string | undefined; warn(text: string): void }
type Denial = { message: string; reason: string }

// What decides about policies is not decided by them.
const exempt = new Set(['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'])
const codes: Record<string, number> = { Unauthorized: 401, Forbidden: 403, RequestEntityTooLarge: 413, Invalid: 422 }

/** Asks every ValidatingAdmissionPolicy that is bound; throws what the first denial says, tells warnings. */
export const decide = (store: Store, review: Review, asking: Asking): void => {
  if (exempt.has(review.of.kind)) return
  const bindings = store.sorted(kind('ValidatingAdmissionPolicyBinding'))
  let context: Record<string, unknown> | undefined
  for (const binding of bindings) {
    const policy = store.get(kind('ValidatingAdmissionPolicy'), undefined, binding.spec?.policyName)
    if (!policy || !isFor(policy.spec.matchConstraints, review) || !isFor(binding.spec.matchResources, review)) continue
    context ??= contextOf(review, asking)
    const known = context
    const judgeAll = () =>
      paramsOf(store, policy, binding, review).flatMap(it => judge(policy, { ...known, params: toCel(it) }))
    const names = `ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}'`
    for (const { message, reason } of orTrouble(policy, judgeAll)) {
      const actions: string[] = binding.spec.validationActions ?? []
      if (actions.includes('Warn')) asking.warn(`Validation failed for ${names}: ${message}`)
      if (actions.includes('Deny')) throw denied(review, `${names} denied request: ${message}`, reason)
    }
  }
}

/** A binding that cannot be set up is a failure of its policy. */
const orTrouble = (policy: Obj, ask: () => Denial[]): Denial[] => {
  try {
    return ask()
  } catch (thrown) {
    if (policy.spec.failurePolicy === 'Ignore') return []
    return [{ message: `failed to configure binding: ${trouble(thrown)}`, reason: 'Invalid' }]
  }
}

const denied = ({ of, object, before }: Review, why: string, reason: string): Refused => {
  const { body, message } = forbidden(of, (object ?? before)!.metadata.name, why)
  return new Refused(codes[reason] ?? 403, reason, message, { ...body.details, causes: [{ message: why }] })
}

const verbs = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' }

const contextOf = (
  { of, operation, sub, object, before, namespace }: Review,
  { caller, dryRun, fieldManager }: Asking,
) => {
  const { name, namespace: home } = (object ?? before)!.metadata
  const { group, version, plural, kind: word } = of
  const resource = { group, version, resource: plural }
  const [itsKind, part] = [{ group, version, kind: word }, sub ?? '']
  const request = {
    ...{
      uid: randomUUID(),
      kind: itsKind,
      resource,
      subResource: part,
      requestKind: itsKind,
      requestResource: resource,
    },
    ...{ requestSubResource: part, name, namespace: home ?? '', operation, dryRun },
    options: { apiVersion: 'meta.k8s.io/v1', kind: verbs[operation], ...(fieldManager && { fieldManager }) },
    userInfo: { username: caller.user, uid: caller.uid ?? '', groups: caller.groups, extra: {} },
  }
  const seen = (it: Obj | undefined) => (it ? toCel({ ...it, apiVersion: apiVersionOf(of), kind: word }) : null)
  return { object: seen(object), oldObject: seen(before), request: toCel(request), namespaceObject: toCel(namespace) }
}

/** What a policy has against it; with `failurePolicy: Ignore` an expression that fails has nothing. */
const judge = (policy: Obj, base: Record<string, unknown>): Denial[] => {
  const { matchConditions = [], validations = [], variables = [], failurePolicy = 'Fail' } = policy.spec
  const ask = compiledIn(policy)
  const context = { ...base, variables: {} }
  for (const { name, expression } of variables as Loose[]) {
    let known: { value: unknown } | undefined
    const get = () => {
      known ??= { value: ask(expression)(context) }
      return known.value
    }
    Object.defineProperty(context.variables, name, { enumerable: true, get })
  }
  const failed = (text: string, thrown: unknown): Denial[] =>
    failurePolicy === 'Ignore' ? [] : [{ message: `${text} resulted in error: ${trouble(thrown)}`, reason: 'Invalid' }]
  let doubt: Denial[] | undefined
  for (const { expression, name } of matchConditions as Loose[]) {
    try {
      if (ask(expression)(context) !== true) return []
    } catch (thrown) {
      doubt ??= failed(`match condition '${name}'`, thrown)
    }
  }
  if (doubt) return doubt
  return (validations as Loose[]).flatMap(({ expression, message, messageExpression, reason = 'Invalid' }) => {
    try {
      if (ask(expression)(context) === true) return []
    } catch (thrown) {
      return failed(`expression '${expression}'`, thrown)
    }
    const said = messageExpression && saidBy(ask(messageExpression), context)
    return [{ message: said || message?.trim() || `failed expression: ${expression.trim()}`, reason }]
  })
}

/** A message that cannot be made, or is none, leaves the fixed one. */
const saidBy = (expression: Expression, context: Record<string, unknown>): string => {
  try {
    const text = expression(context)
    return typeof text === 'string' ? text.trim() : ''
  } catch {
    return ''
  }
}

const compiled = new WeakMap<Obj, Map<string, Expression>>()

/** Stored objects are frozen, so an expression is compiled once for each version of its policy. */
const compiledIn = (policy: Obj) => {
  const known = compiled.get(policy) ?? new Map<string, Expression>()
  compiled.set(policy, known)
  return (text: string): Expression => {
    const found = known.get(text) ?? compile(text)
    known.set(text, found)
    return found
  }
}
