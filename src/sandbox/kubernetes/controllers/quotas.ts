import type { Api } from '../api/api.ts'
import { initOf, isSidecar } from '../objects/init-containers.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { same } from '../objects/object.ts'
import type { Resource } from '../objects/resources.ts'
import { kind, resources } from '../objects/resources.ts'
import { forbidden } from '../objects/status.ts'
import type { Store } from '../objects/store.ts'

type Amounts = Record<string, number>
const units: Record<string, number> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50 },
}

/** `100m`, `2`, `1.5Gi` as a number. */
export const quantity = (text: Loose): number => {
  const parts = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)$/.exec(String(text ?? 0))
  return parts ? Number(parts[1]) * (units[parts[2]!] ?? 1) : Number.NaN
}

const compute = ['requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory']
const canonical = (name: string) => (name === 'cpu' || name === 'memory' ? `requests.${name}` : name)
const isOver = (pod: Obj) => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

/** What a container asks for; a limit alone is its request too. */
export const asked = (it: Loose, name: string): Loose => {
  const [part, resource] = name.split('.') as [string, string]
  return it.resources?.[part]?.[resource] ?? (part === 'requests' ? it.resources?.limits?.[resource] : undefined)
}

/** What a pod asks for: its containers and sidecars together, or the most while init containers run. */
export const askedBy = (pod: Obj, name: string): number => {
  let beside = 0
  let most = 0
  for (const it of pod.spec.initContainers ?? []) {
    const own = quantity(asked(it, name))
    most = Math.max(most, beside + own)
    if (isSidecar(it)) beside += own
  }
  const sum = (pod.spec.containers ?? []).reduce((all: number, it: Loose) => all + quantity(asked(it, name)), beside)
  return Math.max(most, sum)
}

/** What one object counts for, by the names that a quota may have. */
const charge = (of: Resource, obj: Obj): Amounts => {
  if (of.kind === 'Pod' && isOver(obj)) return {}
  const id = of.group ? `${of.plural}.${of.group}` : of.plural
  const found: Amounts = { [`count/${id}`]: 1, ...(!of.group && { [of.plural]: 1 }) }
  if (of.kind !== 'Pod') return found
  for (const name of compute) found[name] = askedBy(obj, name)
  return found
}

const hardOf = ({ spec }: Obj): [name: string, most: string][] => Object.entries(spec?.hard ?? {})

const usedOf = (store: Store, quota: Obj): Amounts => {
  const names = hardOf(quota).map(([name]) => name)
  const used: Amounts = {}
  for (const of of resources) {
    if (!of.namespaced || of.view || !names.some(it => touches(it, of))) continue
    for (const obj of store.list(of, quota.metadata.namespace)) {
      const counts = charge(of, obj)
      for (const name of names) used[name] = (used[name] ?? 0) + (counts[canonical(name)] ?? 0)
    }
  }
  return used
}

const touches = (name: string, of: Resource): boolean =>
  of.kind === 'Pod' && compute.includes(canonical(name))
    ? true
    : name === of.plural || name === `count/${of.group ? `${of.plural}.${of.group}` : of.plural}`

/** How an amount is written: memory in Ki, cpu in m where it is not whole. */
const written = (name: string, amount: number): string => {
  if (name.endsWith('memory')) return amount % 2 ** 20 === 0 && amount > 0 ? `${amount / 2 ** 20}Mi` : String(amount)
  return Number.isInteger(amount) ? String(amount) : `${Math.round(amount * 1000)}m`
}

/** Throws 403 where one more object would go over a quota of its namespace. Scopes are not looked at. */
export const checkQuotas = (store: Store, of: Resource, obj: Obj): void => {
  if (!of.namespaced) return
  for (const quota of store.list(kind('ResourceQuota'), obj.metadata.namespace)) {
    const hard = hardOf(quota).filter(([name]) => touches(name, of))
    if (hard.length === 0) continue
    const { name } = quota.metadata
    const missing = hard.filter(it => of.kind === 'Pod' && compute.includes(canonical(it[0]))).flatMap(unset(obj))
    if (missing.length > 0)
      throw forbidden(of, obj.metadata.name, `failed quota: ${name}: must specify ${missing.sort().join('; ')}`)
    const used = usedOf(store, quota)
    const counts = charge(of, obj)
    const more = (it: string) => counts[canonical(it)] ?? 0
    const over = hard.filter(([it, most]) => more(it) > 0 && (used[it] ?? 0) + more(it) > quantity(most)).sort()
    if (over.length === 0) continue
    const said = (amount: (it: string, most: string) => string) =>
      over.map(([it, most]) => `${it}=${amount(it, most)}`).join(',')
    const requested = said(it => written(it, more(it)))
    const why = `requested: ${requested}, used: ${said(it => written(it, used[it] ?? 0))}, limited: ${said((_, most) => String(most))}`
    throw forbidden(of, obj.metadata.name, `exceeded quota: ${name}, ${why}`)
  }
}

const unset =
  (pod: Obj) =>
  ([name]: [string, string]): string[] => {
    const bare = [...initOf(pod), ...pod.spec.containers].filter(
      (it: Loose) => asked(it, canonical(name)) === undefined,
    )
    return bare.length > 0 ? [`${name} for: ${bare.map((it: Loose) => it.name).join(',')}`] : []
  }

/** Writes down what is used. */
export const reconcileQuota = (store: Store, api: Api, key: string): undefined => {
  const [namespace, name] = key.split('/') as [string, string]
  const quota = store.get(kind('ResourceQuota'), namespace, name)
  if (!quota) return
  const used = usedOf(store, quota)
  const status = {
    hard: quota.spec?.hard ?? {},
    used: Object.fromEntries(hardOf(quota).map(([it]) => [it, written(it, used[it] ?? 0)])),
  }
  if (same(status, quota.status)) return
  const change = (it: Obj) => {
    it.status = status
  }
  api.modify(kind('ResourceQuota'), quota, change, 'kube-controller-manager', 'status')
}

/** Which quotas count an object of this type. */
export const quotasOver = (store: Store, of: Resource, namespace: string | undefined): Obj[] =>
  namespace === undefined
    ? []
    : store.list(kind('ResourceQuota'), namespace).filter(it => hardOf(it).some(([name]) => touches(name, of)))
