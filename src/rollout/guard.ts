import { throwAll } from '../engine/plan.ts'
import { Problem } from '../engine/problem.ts'
import { daemonSetForEgress } from './guard/daemon-set.ts'
import { aroundTheProxy } from './guard/in-cluster.ts'
import { openProxy } from './guard/open-proxy.ts'
import { hostNetwork, hostPaths, netAdmin, privileged } from './guard/pods.ts'
import { type Ground, type Rule, spot } from './guard/rule.ts'
import { idOf, type KubeObject, showId } from './kube/object.ts'

/** What no object of ours may be, and nothing in the namespaces we manage: DESIGN's "never", one rule a line. */
const rules: Rule[] = [hostNetwork, daemonSetForEgress, privileged, netAdmin, hostPaths, aroundTheProxy, openProxy]

/** One thing that is forbidden, where it is, and what an operator can do about it. `mends`: a rollout of it does. */
export type Forbidden = { object: string; what: string; why: string; next: string; mends?: true }

/** Everything that is forbidden of one object. Pure; empty: nothing. */
export const forbidden = (object: KubeObject, ground: Ground = {}): Forbidden[] => {
  const spotted = spot(object, ground)
  return rules.flatMap(({ what, next, look, mends }) =>
    look(spotted).map(why => ({ object: showId(idOf(object)), what, why, next, ...(mends && { mends }) })),
  )
}

export const problemOf = ({ object, what, why, next }: Forbidden): Problem =>
  new Problem(`${object}: ${what} is forbidden`, { why, next })

/** Before anything of ours is sent: throws where it is what nothing of ours may be. */
export const refuseForbidden = (object: KubeObject, ground?: Ground): void =>
  throwAll(forbidden(object, ground).map(problemOf))
