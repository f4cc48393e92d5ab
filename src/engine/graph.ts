import type { Desired } from './desired.ts'
import { refsIn } from './refs.ts'

export type Graph = {
  /** Parents first; what was declared first comes first among equals. */
  order: Desired[]
  parents: ReadonlyMap<string, string[]>
}

/** The order that Refs and `after` draw. A cycle, a double id or an unknown parent is a bug in a playbook. */
export const graphOf = (desired: readonly Desired[]): Graph => {
  const byId = new Map<string, Desired>()
  for (const it of desired) {
    if (byId.has(it.id)) throw new Error(`two Desired have the id ${it.id}`)
    byId.set(it.id, it)
  }
  const parents = new Map(desired.map(it => [it.id, [...new Set([...refsIn(it.want), ...it.after])]]))
  const order: Desired[] = []
  const state = new Map<string, 'open' | 'done'>()
  const trail: string[] = []
  const visit = (it: Desired) => {
    if (state.get(it.id) === 'done') return
    if (state.get(it.id) === 'open') throw new Error(`a cycle: ${[...trail, it.id].join(' -> ')}`)
    state.set(it.id, 'open')
    trail.push(it.id)
    for (const id of parents.get(it.id) ?? []) {
      const parent = byId.get(id)
      if (!parent) throw new Error(`${it.id} needs ${id}, which no playbook declares`)
      visit(parent)
    }
    trail.pop()
    state.set(it.id, 'done')
    order.push(it)
  }
  for (const it of desired) visit(it)
  return { order, parents }
}
