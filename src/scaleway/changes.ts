import type { Change, Detail } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'

export const create = (what: string): Change => ({ action: 'create', summary: `create ${what}` })

/** null when there is no detail to change. */
export const update = (
  what: string,
  details: (Detail | null)[],
  action: 'update' | 'replace' = 'update',
): Change | null => {
  const real = details.filter(it => it !== null)
  return real.length === 0
    ? null
    : { action, summary: `${action} ${what}: ${real.map(it => it.name).join(', ')}`, details: real }
}

/** A field that differs, as a line like `type: VPC-GW-S -> VPC-GW-M`. */
export const field = (name: string, live: unknown, want: unknown): Detail | null => {
  const [a, b] = [text(live), text(want)]
  return a === b ? null : { name, action: 'update', diff: `${name}: ${a} -> ${b}` }
}

/** What is fixed for life and differs all the same. */
export const fixed = (what: string, name: string, live: unknown, want: unknown): void => {
  if (text(live) === text(want)) return
  throw new Problem(`${what}: ${name} cannot be changed from ${text(live)} to ${text(want)}`, {
    why: 'Scaleway fixes it when the resource is made',
    next: `put ${text(live)} back into the inventory, or destroy ${what} and what depends on it, then deploy`,
    exit: 2,
  })
}

const text = (it: unknown): string => (typeof it === 'string' ? it : (JSON.stringify(it) ?? 'none'))
