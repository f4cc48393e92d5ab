import type { Loose, Obj } from '../objects/object.ts'
import { kind } from '../objects/resources.ts'
import type { Store } from '../objects/store.ts'

/** Who asks, as every rule sees it: a name and the groups it is in. */
export type Caller = { user: string; groups: string[]; uid?: string }
/** What is asked for: something of a resource, or a path that is no resource. `resource` is the plural alone. */
export type Attempt = {
  verb: string
  group?: string | undefined
  resource?: string | undefined
  sub?: string | undefined
  namespace?: string | undefined
  name?: string | undefined
  path?: string | undefined
}
/** The first binding that allows it, in the words of the real one; `null`: nothing does. */
export type Verdict = { allowed: boolean; reason: string }

const group = 'rbac.authorization.k8s.io'
export const masters = 'system:masters'
export const admin: Caller = { user: 'kubernetes-admin', groups: [masters, 'system:authenticated'] }

export const serviceAccount = (namespace: string, name: string, uid?: string): Caller => ({
  user: `system:serviceaccount:${namespace}:${name}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  ...(uid && { uid }),
})

/** RBAC: is there a binding of this caller to a role with a rule for this? Nothing else allows anything. */
export const mayDo = (store: Store, caller: Caller, attempt: Attempt): Verdict => {
  if (caller.groups.includes(masters)) return { allowed: true, reason: '' }
  for (const { binding, subject, role, rules } of grants(store, caller, attempt.namespace)) {
    if (!rules.some(it => covers(it, attempt))) continue
    const { name, namespace } = binding.metadata
    const at = namespace ? `${name}/${namespace}` : name
    const who = subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace ?? namespace}` : subject.name
    const reason = `RBAC: allowed by ${binding.kind} "${at}" of ${role.kind} "${role.name}" to ${subject.kind} "${who}"`
    return { allowed: true, reason }
  }
  return { allowed: false, reason: '' }
}

/** All that this caller may do in a namespace, as SelfSubjectRulesReview lists it. */
export const rulesOf = (store: Store, caller: Caller, namespace: string): Loose => {
  const all = grants(store, caller, namespace).flatMap(it => it.rules)
  const picked = (it: Loose, ...keys: string[]) =>
    Object.fromEntries(keys.filter(key => it[key]).map(key => [key, it[key]]))
  return {
    resourceRules: all
      .filter(it => it.resources)
      .map(it => picked(it, 'verbs', 'apiGroups', 'resources', 'resourceNames')),
    nonResourceRules: all.filter(it => it.nonResourceURLs).map(it => picked(it, 'verbs', 'nonResourceURLs')),
    incomplete: false,
  }
}

/** The rules that hold for this caller in a namespace, or in the whole cluster. */
export const rulesHeld = (store: Store, caller: Caller, namespace: string | undefined): Loose[] =>
  grants(store, caller, namespace).flatMap(it => it.rules)

type Grant = { binding: Obj; subject: Loose; role: Loose; rules: Loose[] }

const grants = (store: Store, caller: Caller, namespace: string | undefined): Grant[] => {
  const bindings = [
    ...store.list(kind('ClusterRoleBinding')),
    ...(namespace ? store.list(kind('RoleBinding'), namespace) : []),
  ]
  return bindings.flatMap(binding => {
    const subject = (binding.subjects ?? []).find((it: Loose) => isMeant(it, caller, binding.metadata.namespace))
    if (!subject) return []
    const { roleRef: role } = binding
    const rules = store.get(kind(role.kind), role.kind === 'Role' ? binding.metadata.namespace : undefined, role.name)
    return [{ binding, subject, role, rules: rules?.rules ?? [] }]
  })
}

const isMeant = (subject: Loose, { user, groups }: Caller, home: string | undefined): boolean => {
  if (subject.kind === 'User') return subject.name === user
  if (subject.kind === 'Group') return groups.includes(subject.name)
  return user === serviceAccount(subject.namespace ?? home, subject.name).user
}

/** `resourceNames` hold only where a name is asked for: they never allow to create, nor a plain list. */
const covers = (rule: Loose, it: Attempt): boolean => {
  const has = (all: string[] = [], one: string) => all.includes('*') || all.includes(one)
  if (!has(rule.verbs, it.verb)) return false
  if (it.path !== undefined) return (rule.nonResourceURLs ?? []).some((url: string) => isPathOf(url, it.path!))
  const { resources = [], resourceNames = [] } = rule
  const isNamed = resourceNames.length === 0 || (!!it.name && resourceNames.includes(it.name))
  const asked = it.sub ? `${it.resource}/${it.sub}` : (it.resource ?? '')
  const isKind = has(resources, asked) || (!!it.sub && resources.includes(`*/${it.sub}`))
  return isKind && has(rule.apiGroups, it.group ?? '') && isNamed
}

const isPathOf = (url: string, path: string): boolean =>
  url === '*' || url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1)))

/** Why not, as the real one says it after `is forbidden: `. */
export const refusal = ({ user }: Caller, { verb, resource, sub, group = '', namespace, path }: Attempt): string => {
  if (path !== undefined) return `User "${user}" cannot ${verb} path "${path}"`
  const where = namespace ? `in the namespace "${namespace}"` : 'at the cluster scope'
  const what = sub ? `${resource}/${sub}` : resource
  return `User "${user}" cannot ${verb} resource "${what}" in API group "${group}" ${where}`
}

const all = ['get', 'list', 'watch']
const writes = ['create', 'delete', 'deletecollection', 'patch', 'update']
const own = {
  '': ['configmaps', 'endpoints', 'persistentvolumeclaims', 'pods', 'serviceaccounts', 'services'],
  apps: ['daemonsets', 'deployments', 'deployments/scale', 'replicasets', 'replicasets/scale', 'statefulsets'],
  batch: ['cronjobs', 'jobs'],
  policy: ['poddisruptionbudgets'],
  'networking.k8s.io': ['networkpolicies'],
}
const seen = ['events', 'limitranges', 'namespaces', 'namespaces/status', 'pods/log', 'pods/status', 'resourcequotas']
const over = (verbs: string[], more: Loose[] = []) => [
  ...Object.entries(own).map(([name, resources]) => ({ apiGroups: [name], resources, verbs })),
  ...more,
]
const view = over(all, [
  { apiGroups: [''], resources: seen, verbs: all },
  { apiGroups: ['coordination.k8s.io', 'discovery.k8s.io'], resources: ['leases', 'endpointslices'], verbs: all },
])
const edit = [
  ...view,
  ...over(writes),
  { apiGroups: [''], resources: ['secrets', 'pods/exec'], verbs: [...all, ...writes] },
  { apiGroups: [''], resources: ['pods/eviction', 'serviceaccounts/token'], verbs: ['create'] },
  { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: [...writes, ...all] },
]
const binds = { apiGroups: [group], resources: ['rolebindings', 'roles'], verbs: [...all, ...writes] }

/** The roles that every cluster has; the rules of the aggregated ones cover what this emulator serves. */
export const firstRoles: { name: string; rules: Loose[]; to?: string }[] = [
  {
    name: 'cluster-admin',
    rules: [
      { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      { nonResourceURLs: ['*'], verbs: ['*'] },
    ],
    to: masters,
  },
  { name: 'admin', rules: [...edit, binds] },
  { name: 'edit', rules: edit },
  { name: 'view', rules: view },
  {
    name: 'system:basic-user',
    rules: [
      {
        apiGroups: ['authorization.k8s.io'],
        resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
        verbs: ['create'],
      },
      { apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['create'] },
    ],
    to: 'system:authenticated',
  },
  {
    name: 'system:discovery',
    rules: [
      {
        nonResourceURLs: ['/api', '/api/*', '/apis', '/apis/*', '/healthz', '/livez', '/openapi', '/openapi/*'].concat([
          '/readyz',
          '/version',
          '/version/',
        ]),
        verbs: ['get'],
      },
    ],
    to: 'system:authenticated',
  },
]
