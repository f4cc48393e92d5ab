import type { Desired } from '../engine/desired.ts'
import type { Context } from '../inventory/context.ts'
import { groupsOf } from '../inventory/groups.ts'
import { choose, globOf } from '../inventory/pattern.ts'

/** The context with only the tenants that `--limit` names: by tenant, namespace, proxy or group, in Ansible's words. */
export const forTargets = (context: Context, limit: string | undefined): Context => {
  if (limit === undefined) return context
  const known = context.tenants.map(it => ({
    it,
    names: [it.tenant, it.namespace, it.egress.proxy.name, ...groupsOf(context, it), 'egress'],
  }))
  const chosen = choose(limit, known, `the tenants of ${context.context}`)
  return { ...context, tenants: chosen.map(({ it }) => it) }
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
