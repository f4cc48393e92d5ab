import type { Kube } from '../kube/kube.ts'
import { isGone, KubeProblem } from '../kube/problem.ts'
import type { ListOf, Selection } from '../kube/watch.ts'

export type Lists = Pick<Kube, 'list'> & {
  /** Kinds that this user may not list, in words. */
  unread(): string[]
}

/**
 * Lists that many look through are asked for once, whole: selectors are left to who looks. What may not be listed, and
 * what the cluster does not have, is empty.
 */
export const shareLists = (kube: Pick<Kube, 'list'>): Lists => {
  const asked = new Map<string, Promise<ListOf<unknown>>>()
  const unread = new Set<string>()
  const ask = async ({ apiVersion, kind, namespace }: Selection): Promise<ListOf<unknown>> => {
    try {
      return await kube.list<unknown>({ apiVersion, kind, ...(namespace !== undefined && { namespace }) })
    } catch (thrown) {
      if (thrown instanceof KubeProblem && thrown.status === 403) unread.add(kind)
      else if (!isGone(thrown)) throw thrown
      return { items: [], resourceVersion: '' }
    }
  }
  return {
    list<T>(what: Selection) {
      const key = `${what.apiVersion} ${what.kind} ${what.namespace ?? ''}`
      const answer = asked.get(key) ?? ask(what)
      asked.set(key, answer)
      return answer as Promise<ListOf<T>>
    },
    unread: () => [...unread],
  }
}
