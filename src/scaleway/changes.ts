import type { Change, Detail } from '../engine/kind.ts'

export const create = (what: string): Change => ({ action: 'create', summary: `create ${what}` })

/** null when there is no detail to change. */
export const update = (what: string, details: (Detail | null)[]): Change | null => {
  const real = details.filter(it => it !== null)
  return real.length === 0
    ? null
    : { action: 'update', summary: `update ${what}: ${real.map(it => it.name).join(', ')}`, details: real }
}

/** A field that differs, as a line like `type: VPC-GW-S -> VPC-GW-M`. */
export const field = (name: string, live: unknown, want: unknown): Detail | null => {
  const [a, b] = [text(live), text(want)]
  return a === b ? null : { name, action: 'update', diff: `${name}: ${a} -> ${b}` }
}

/** A difference that only another one in its place can have, and the rule that says so. */
export type Fixed = { detail: Detail; why: string }

/** A field that is fixed for life and differs all the same. */
export const fixed = (name: string, live: unknown, want: unknown, why: string): Fixed | null => {
  const detail = field(name, live, want)
  return detail && { detail, why }
}

/** null when nothing stands in the way of a change in place. */
export const replace = (what: string, differences: (Fixed | null)[]): Change | null => {
  const real = differences.filter(it => it !== null)
  if (real.length === 0) return null
  return {
    action: 'replace',
    summary: `replace ${what}: ${real.map(it => it.detail.name).join(', ')}`,
    details: real.map(it => it.detail),
    why: [...new Set(real.map(it => it.why))].join('; '),
  }
}

const text = (it: unknown): string => (typeof it === 'string' ? it : (JSON.stringify(it) ?? 'none'))
