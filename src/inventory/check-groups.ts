import { nearest } from '../engine/nearest.ts'
import { ansibleName, tenantGroup } from './dynamic.ts'
import { proxiesAt } from './proxies.ts'
import type { Say } from './say.ts'
import type { ContextFile } from './schema-context.ts'
import type { TenantFile } from './schema-tenant.ts'
import type { Parts } from './validate.ts'

/** Groups are declared once, hang together without a circle, and are not mistaken for anything else. */
export const checkGroups = (
  { groups = {} }: Parts<ContextFile>,
  tenants: readonly Parts<TenantFile>[],
  say: Say,
): void => {
  const names = Object.keys(groups)
  const taken = new Map(
    tenants.flatMap(it =>
      [it.tenant, it.namespace, ...proxiesAt(it).map(({ proxy }) => proxy.name)].map(
        name => [name, `of tenant ${it.tenant}`] as const,
      ),
    ),
  )
  for (const [it, whose] of [...reserved.map(it => [it, 'of every host'] as const), ...taken]) {
    if (it === undefined || !names.includes(it)) continue
    say(['groups', it], `group ${it} has a name ${whose}`, '--limit could not tell them apart', 'choose another name')
  }
  for (const { tenant } of tenants) {
    const twin = names.find(it => tenant !== undefined && ansibleName(it) === tenantGroup(tenant))
    if (twin === undefined) continue
    const why = `Ansible is told of the hosts of tenant ${tenant} as ${tenantGroup(tenant!)}`
    say(['groups', twin], `group ${twin} has the name of a tenant's group`, why, 'choose another name')
  }
  for (const name of names)
    for (const [at, child] of (groups[name]?.children ?? []).entries()) {
      if (child === undefined) continue
      const path = ['groups', name, 'children', at]
      if (!names.includes(child)) say(path, `there is no group ${child}`, ...unknown(child, names))
      else if (reaches(groups, child, name))
        say(path, `group ${child} is above and below ${name}`, 'groups hang together as a tree', 'take one link out')
    }
}

/** A tenant names groups that the context declares. */
export const checkMembership = ({ groups = {} }: Parts<ContextFile>, tenant: Parts<TenantFile>, say: Say): void => {
  const names = Object.keys(groups)
  for (const [at, it] of (tenant.groups ?? []).entries())
    if (it !== undefined && !names.includes(it)) say(['groups', at], `there is no group ${it}`, ...unknown(it, names))
}

/** Names that stand for every host, or that Ansible keeps. */
const reserved = ['all', 'egress', 'ungrouped']

const unknown = (name: string, known: string[]): [why: string, next: string] => {
  const near = nearest(name, known)
  return [
    known.length > 0 ? `the context declares ${known.join(', ')}` : 'the context declares no groups',
    near ? `did you mean ${near}?` : `write it under groups in context.yaml: groups: { ${name}: {} }`,
  ]
}

const reaches = (groups: NonNullable<Parts<ContextFile>['groups']>, from: string, to: string): boolean => {
  const seen = new Set<string>()
  const visit = (name: string): boolean => {
    if (name === to) return true
    if (seen.has(name)) return false
    seen.add(name)
    return (groups[name]?.children ?? []).some(it => it !== undefined && visit(it))
  }
  return visit(from)
}
