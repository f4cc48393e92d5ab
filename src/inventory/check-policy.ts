import { readEntries } from '../policy/entries.ts'
import type { Lists, Mistake } from '../policy/entry.ts'
import type { Say } from './say.ts'
import type { ContextFile } from './schema-context.ts'
import type { TenantFile } from './schema-tenant.ts'
import type { Parts } from './validate.ts'

const nobody = { tenant: '', egress: { mode: 'enforce' as const } }

/** The lists for all tenants, alone. */
export const checkSharedPolicy = ({ policy }: Parts<ContextFile>, say: Say, warnings = false): void =>
  tell(readEntries(policy ?? {}, nobody).mistakes, 'context', say, warnings)

/** A tenant's lists, alone and under those of its context. */
export const checkPolicy = (
  { policy }: Parts<ContextFile>,
  { tenant = '', egress }: Parts<TenantFile>,
  say: Say,
  warnings = false,
): void => {
  const { allow, deny, mode = 'enforce' } = egress ?? {}
  const lists: Lists = { allow, deny }
  tell(readEntries(policy ?? {}, { tenant, egress: { ...lists, mode } }).mistakes, 'tenant', say, warnings)
}

const tell = (mistakes: Mistake[], whose: Mistake['of'], say: Say, warnings: boolean) => {
  for (const { of, list, at, field, warning = false, what, why, next } of mistakes) {
    if (of !== whose || warning !== warnings) continue
    say([of === 'tenant' ? 'egress' : 'policy', list, at, ...(field ? [field] : [])], what, why, next)
  }
}
