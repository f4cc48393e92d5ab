import type { Desired } from '../engine/desired.ts'
import { Problem } from '../engine/problem.ts'
import type { Context } from '../inventory/context.ts'

/** The context with only the tenants that `--limit` names: by tenant, namespace or proxy; `*` and commas. */
export const forTargets = (context: Context, limit: string | undefined): Context => {
  if (limit === undefined) return context
  const patterns = limit.split(',').map(it => it.trim())
  const matches = (name: string) => patterns.some(it => globOf(it).test(name))
  const tenants = context.tenants.filter(it => [it.tenant, it.namespace, it.egress.proxy.name].some(matches))
  if (tenants.length > 0) return { ...context, tenants }
  throw new Problem(`--limit ${limit} matches nothing`, {
    why: `the tenants of ${context.context} are ${context.tenants.map(it => it.tenant).join(', ')}`,
    next: 'name a tenant, its namespace or its proxy; * stands for anything',
    exit: 2,
  })
}

/** Does a Desired carry one of the tags? Tags are stages, phases (canary, expand, rollout/gateway), kinds and names. */
export const tagged = (desired: Desired, places: readonly string[], tags: readonly string[] | undefined): boolean => {
  if (!tags) return true
  const name = desired.id.slice(desired.kind.name.length + 1)
  return tags.some(tag => places.includes(tag) || tag === desired.kind.name || globOf(tag).test(name))
}

/** The words a phase answers to. `gateway` alone is the stage of that name. */
export const placesOf = (phase: string): string[] => {
  const short = phase.split(' ')[0] ?? phase
  return ['rollout', `rollout/${phase}`, `rollout/${short}`, ...(phase === 'gateway' ? [] : [phase, short])]
}

const globOf = (pattern: string) =>
  new RegExp(
    `^${pattern
      .split('*')
      .map(it => it.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  )
