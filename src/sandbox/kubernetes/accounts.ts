import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Loose, Obj } from './object.ts'
import { kind } from './resources.ts'
import type { Store } from './store.ts'

/** Who asks: the admin of the kubeconfig, or the service account of a pod. */
export type Caller = { admin: true } | { admin: false; namespace: string; name: string }
export type Attempt = {
  verb: string
  group: string
  /** Plural, with its subresource: `pods/exec`. */
  resource: string
  namespace: string | undefined
  name: string | undefined
}

const encode = (it: Loose) => Buffer.from(JSON.stringify(it)).toString('base64url')
const sign = (text: string, secret: string) => createHmac('sha256', secret).update(text).digest('base64url')
const issuer = 'https://kubernetes.default.svc.cluster.local'

/** The token of a service account, as a JWT that this cluster alone accepts, and only while that account lives. */
export const tokenFor = ({ metadata: { namespace, name, uid } }: Obj, secret: string): string => {
  const sub = `system:serviceaccount:${namespace}:${name}`
  const claims = { iss: issuer, aud: [issuer], sub, 'kubernetes.io': { namespace, serviceaccount: { name, uid } } }
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${text}.${sign(text, secret)}`
}

/** Whose token this is; undefined: nobody's. */
export const accountOf = (store: Store, token: string, secret: string): Caller | undefined => {
  const [head, claims, signature, ...more] = token.split('.')
  if (!head || !claims || !signature || more.length > 0) return undefined
  const right = Buffer.from(sign(`${head}.${claims}`, secret))
  const given = Buffer.from(signature)
  if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
  const { namespace, serviceaccount } = JSON.parse(Buffer.from(claims, 'base64url').toString())['kubernetes.io']
  const account = store.get(kind('ServiceAccount'), namespace, serviceaccount.name)
  if (account?.metadata.uid !== serviceaccount.uid) return undefined
  return { admin: false, namespace, name: serviceaccount.name }
}

/** RBAC: is there a binding of this caller to a role with a rule for this? Nothing else allows anything. */
export const mayDo = (store: Store, caller: Caller, attempt: Attempt): boolean => {
  if (caller.admin) return true
  const isBound = ({ subjects = [] }: Obj) => (subjects as Loose[]).some(it => isMeant(it, caller))
  const allows = (role: Obj | undefined) => (role?.rules ?? []).some((it: Loose) => covers(it, attempt))
  const roleOf = ({ roleRef, metadata }: Obj) =>
    store.get(kind(roleRef.kind), roleRef.kind === 'Role' ? metadata.namespace : undefined, roleRef.name)
  const bindings = [
    ...store.list(kind('ClusterRoleBinding')),
    ...(attempt.namespace ? store.list(kind('RoleBinding'), attempt.namespace) : []),
  ]
  return bindings.some(it => isBound(it) && allows(roleOf(it)))
}

const isMeant = (subject: Loose, { namespace, name }: { namespace: string; name: string }): boolean => {
  if (subject.kind === 'ServiceAccount') return subject.name === name && subject.namespace === namespace
  if (subject.kind === 'User') return subject.name === `system:serviceaccount:${namespace}:${name}`
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated']
  return subject.kind === 'Group' && groups.includes(subject.name)
}

/** `resourceNames` hold only where a name is asked for: they never allow to create, nor a plain list. */
const covers = ({ verbs = [], apiGroups = [], resources = [], resourceNames = [] }: Loose, it: Attempt): boolean => {
  const has = (all: string[], one: string) => all.includes('*') || all.includes(one)
  const named = resourceNames.length === 0 || (it.name !== undefined && resourceNames.includes(it.name))
  return has(verbs, it.verb) && has(apiGroups, it.group) && has(resources, it.resource) && named
}
