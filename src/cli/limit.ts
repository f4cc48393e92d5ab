import type { Desired } from '../engine/desired.ts'
import type { Json } from '../engine/json.ts'
import type { HostPlay } from '../hosts/play.ts'
import { tagsIn, withTags } from '../hosts/tags.ts'
import { type Context, proxiesIn, sharePartner } from '../inventory/context.ts'
import { groupsOf } from '../inventory/groups.ts'
import { choose, globOf } from '../inventory/pattern.ts'
import { gatewayName } from '../rollout/gateway-pod/manifests.ts'

/** The context with only the tenants that `--limit` names: by tenant, namespace, proxy or group, in Ansible's words. */
export const forTargets = (context: Context, limit: string | undefined): Context => {
  if (limit === undefined) return context
  const known = context.tenants.map(it => ({
    it,
    names: [
      it.tenant,
      it.namespace,
      ...it.egress.proxies.map(({ name }) => name),
      ...(it.egress.gateway ? [gatewayName(it.tenant)] : []),
      ...groupsOf(context, it),
      'egress',
      ...theirs(it),
    ],
  }))
  const chosen = choose(limit, known, `the tenants of ${context.context}`)
  return withOnly(
    context,
    chosen.map(({ it }) => it),
  )
}

/** The context with only these tenants; who shares a proxy or a partner's list with them stays known. */
export const withOnly = (context: Context, tenants: Context['tenants']): Context => {
  const proxies = new Set(proxiesIn({ tenants }).map(it => it.proxy.name))
  const others = context.tenants.filter(it => !tenants.includes(it))
  const neighbours = others.filter(it => it.egress.proxies.some(({ name }) => proxies.has(name)))
  const partners = others.filter(it => tenants.some(other => sharePartner(it, other)))
  return {
    ...context,
    tenants,
    ...(neighbours.length > 0 && { neighbours }),
    ...(partners.length > 0 && { partners }),
  }
}

/** A machine that existed before answers to what Ansible calls it, too. */
const theirs = ({ egress }: Context['tenants'][number]) =>
  egress.proxies.flatMap(({ machine }) => (machine ? [machine.host, ...machine.groups] : []))

/** Does a Desired carry one of the tags? Tags are stages, phases (canary, expand, rollout/gateway), kinds and names. */
export const tagged = (desired: Desired, places: readonly string[], tags: readonly string[] | undefined): boolean => {
  if (!tags) return true
  const name = desired.id.slice(desired.kind.name.length + 1)
  return tags.some(tag => places.includes(tag) || tag === desired.kind.name || globOf(tag).test(name))
}

/** What the tasks of a play are tagged with; nothing else has tasks. */
export const taskTags = ({ kind, want }: Desired): string[] =>
  kind.name === 'host-play' ? tagsIn(want as unknown as HostPlay) : []

/** A play that is not chosen as a whole has only the tasks that the tags choose. */
export const narrowed = (desired: Desired, tags: readonly string[]): Desired => {
  const mine = taskTags(desired)
  if (tagged(desired, ['configure'], tags) || !tags.some(it => mine.includes(it))) return desired
  return { ...desired, want: withTags(desired.want as unknown as HostPlay, tags) as unknown as Json }
}

/** The words a phase answers to. `gateway` alone is the stage of that name, `allowlist` the proxies' policies. */
export const placesOf = (phase: string): string[] => {
  const short = phase.split(' ')[0] ?? phase
  return [
    'rollout',
    `rollout/${phase}`,
    `rollout/${short}`,
    ...(phase === 'gateway' || phase === 'allowlist' ? [] : [phase, short]),
  ]
}
