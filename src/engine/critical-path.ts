import type { Seen } from './plan.ts'

/** How long a plan takes if all goes well, and the chain of steps that decides it. */
export type CriticalPath = { seconds: number; path: { id: string; seconds: number; down?: true }[] }

type Link = { id: string; seconds: number; total: number; before?: Link }

/**
 * The longest chain through what is pending, by what each Kind says an action takes. What must go before a
 * replacement goes first, children before parents. `extra`: seconds besides, by id (a soak, gates).
 */
export const criticalPath = (
  all: ReadonlyMap<string, Seen>,
  pending: ReadonlySet<string>,
  extra: ReadonlyMap<string, number> = new Map(),
): CriticalPath => {
  const parents = (id: string) => all.get(id)?.parents ?? []
  const going = [...all.keys()].filter(id => pending.has(id) && isGoing(all.get(id)))
  const children = (id: string) => going.filter(it => parents(it).includes(id))
  const down = longest(going.reverse(), children, id => takes(all.get(id), 'delete'))
  const up = longest([...all.keys()], parents, id => {
    const change = pending.has(id) ? all.get(id)?.step?.change : undefined
    return change ? takes(all.get(id), isGoing(all.get(id)) ? 'create' : change.action) + (extra.get(id) ?? 0) : 0
  })
  return {
    seconds: down.seconds + up.seconds,
    path: [...down.path.map(it => ({ ...it, down: true as const })), ...up.path],
  }
}

const isGoing = (it: Seen | undefined) =>
  it?.was !== undefined || (it?.desired.kind.holds === true && it.step?.change.action === 'replace')

const takes = (it: Seen | undefined, action: 'create' | 'update' | 'replace' | 'delete'): number =>
  it?.desired.kind.takes?.[action] ?? 0

/** `ids`: whoever comes first stands before those that wait for it. */
const longest = (
  ids: readonly string[],
  firstOf: (id: string) => readonly string[],
  secondsOf: (id: string) => number,
): CriticalPath => {
  const links = new Map<string, Link>()
  let last: Link | undefined
  for (const id of ids) {
    const before = firstOf(id)
      .flatMap(it => links.get(it) ?? [])
      .reduce<Link | undefined>((a, b) => (a && a.total >= b.total ? a : b), undefined)
    const seconds = secondsOf(id)
    const link = { id, seconds, total: seconds + (before?.total ?? 0), ...(before && { before }) }
    links.set(id, link)
    if (link.total > (last?.total ?? 0)) last = link
  }
  const path: CriticalPath['path'] = []
  for (let it = last; it; it = it.before) if (it.seconds > 0) path.unshift({ id: it.id, seconds: it.seconds })
  return { seconds: last?.total ?? 0, path }
}
