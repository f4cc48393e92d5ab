import type { Loose, Obj } from '../objects/object.ts'
import { same } from '../objects/object.ts'
import type { Resource } from '../objects/resources.ts'
import { kind } from '../objects/resources.ts'
import { forbidden } from '../objects/status.ts'
import type { Store } from '../objects/store.ts'
import type { Caller } from './rbac.ts'
import { mayDo, rulesHeld } from './rbac.ts'

type Write = { of: Resource; object: Obj; before: Obj | undefined; caller: Caller }

/** Nobody gives what he has not, unless a role says that he may. Throws 403 with what is missing. */
export const checkEscalation = (store: Store, { of, object, before, caller }: Write): void => {
  const isRole = of.kind === 'Role' || of.kind === 'ClusterRole'
  if (!isRole && of.kind !== 'RoleBinding' && of.kind !== 'ClusterRoleBinding') return
  if (before && (isRole ? same(before.rules, object.rules) : same(before.subjects, object.subjects))) return
  const { namespace, name } = object.metadata
  const role = isRole ? of : kind(object.roleRef.kind)
  const verb = isRole ? 'escalate' : 'bind'
  const named = isRole ? name : object.roleRef.name
  const attempt = { verb, group: role.group, resource: role.plural, name: named, namespace }
  if (mayDo(store, caller, attempt).allowed) return
  const from = role.kind === 'Role' ? namespace : undefined
  const rules: Loose[] = (isRole ? object : store.get(role, from, object.roleRef.name))?.rules ?? []
  const held = rulesHeld(store, caller, namespace)
  const lacking = rules.flatMap(it => missingOf(it, held))
  if (lacking.length === 0) return
  const who = `user "${caller.user}" (groups=[${caller.groups.map(it => JSON.stringify(it)).join(' ')}])`
  const why = `${who} is attempting to grant RBAC permissions not currently held:\n${lacking.join('\n')}`
  throw forbidden(of, name, why)
}

/** What of a rule no rule that is held has, a line for each resource. */
const missingOf = (rule: Loose, held: Loose[]): string[] => {
  const { apiGroups = [''], resources = [], verbs = [], resourceNames, nonResourceURLs } = rule
  if (nonResourceURLs) {
    const has = held.some(it => hasAll(it.nonResourceURLs, nonResourceURLs) && hasAll(it.verbs, verbs))
    return has ? [] : [`{NonResourceURLs:${list(nonResourceURLs)}, Verbs:${list(verbs)}}`]
  }
  return apiGroups.flatMap((group: string) =>
    resources.flatMap((resource: string) => {
      const isHeld = (verb: string) =>
        held.some(
          it =>
            hasAll(it.apiGroups, [group]) &&
            hasAll(it.resources, [resource]) &&
            hasAll(it.verbs, [verb]) &&
            (!it.resourceNames || (!!resourceNames && hasAll(it.resourceNames, resourceNames))),
        )
      const left = verbs.filter((it: string) => !isHeld(it))
      const names = resourceNames ? `, ResourceNames:${list(resourceNames)}` : ''
      return left.length === 0
        ? []
        : [`{APIGroups:${list([group])}, Resources:${list([resource])}${names}, Verbs:${list(left)}}`]
    }),
  )
}

const hasAll = (all: string[] = [], some: string[]) => all.includes('*') || some.every(it => all.includes(it))
const list = (all: string[]) => `[${all.map(it => JSON.stringify(it)).join(' ')}]`
