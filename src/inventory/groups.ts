import type { ContextFile } from './schema-context.ts'
import type { TenantFile } from './schema-tenant.ts'
import type { Parts } from './validate.ts'

/** A plain value that a template, a pattern or Ansible can read. */
export type Var = string | number | boolean | string[]
export type Vars = Record<string, Var>

type Grouping = Parts<Pick<ContextFile, 'groups' | 'vars'>>
type Member = Parts<Pick<TenantFile, 'groups' | 'vars'>>

/** Every group a tenant is in, also as the child of a child: parents first, else in the order of the context. */
export const groupsOf = ({ groups = {} }: Grouping, { groups: named = [] }: Member): string[] => {
  const parentsOf = (name: string) => Object.keys(groups).filter(it => groups[it]?.children?.includes(name))
  const found: string[] = []
  const open = new Set<string>()
  const visit = (name: string) => {
    if (open.has(name)) return
    open.add(name)
    for (const it of parentsOf(name)) visit(it)
    found.push(name)
  }
  const order = Object.keys(groups)
  for (const it of [...named].sort((a, b) => order.indexOf(a ?? '') - order.indexOf(b ?? ''))) if (it) visit(it)
  return found
}

/** What a tenant's host is told: of the context, then of its groups (a child goes over its parent), then its own. */
export const varsOf = (context: Grouping, tenant: Member): Vars =>
  Object.assign(
    {},
    context.vars,
    ...groupsOf(context, tenant).map(it => context.groups?.[it]?.vars ?? {}),
    tenant.vars,
  ) as Vars
