import type { KubeObject } from '../kube/object.ts'
import { EGRESS_LABEL } from '../manifests.ts'
import type { Check, Finding } from './finding.ts'
import { type Foreign, readForeignPolicy } from './foreign-policy.ts'
import type { Moving } from './sight.ts'
import type { Way } from './ways-out.ts'

/**
 * Policies of the network plugin's own kinds, and of the whole cluster, that have pods of a workload: what lets these
 * past the proxy is a stop, the rest is named.
 */
export const foreignPolicies: Check = sight =>
  sight.foreign.flatMap(object => {
    const read = readForeignPolicy(object, sight)
    return sight.moving.flatMap(it => judged(it, object, read))
  })

const judged = ({ name, labels }: Moving, object: KubeObject, it: Foreign): Finding[] => {
  const [was, is] = [it.selects(labels.before), it.selects(labels.after)]
  if (was === false && is === false) return []
  const policy = `${object.kind} ${object.metadata.name}`
  const say = (level: Finding['level'], what: string, why: string, next: string): Finding[] => [
    { level, workload: name, what: `${policy} ${what}`, why, next },
  ]
  const looks = `it looks at the label ${EGRESS_LABEL.key}`
  if (is === false) return say(it.hasIngress ? 'stop' : 'note', 'would not hold for it any more', looks, ANOTHER)
  if (it.rank === 'after')
    return say('note', 'is about it', 'what goes out of a pod that a NetworkPolicy has is not asked there', NOTHING)
  const out = waysPast(it)
  const wide = out.filter(way => way.wide)
  const told = [...new Set((wide.length > 0 ? wide : out).map(way => way.what))].join(', ')
  const certain = is === true ? '' : ' (whether it has these pods is not known)'
  if (told) {
    const order = it.rank === 'before' ? 'it is asked before any NetworkPolicy' : 'what any policy lets through is let through' // biome-ignore format: one
    const level = wide.length > 0 && is === true ? 'stop' : 'note'
    return say(level, 'lets it past the proxy', `to ${told}: ${order}${certain}`, EXCEPT)
  }
  if (was === false && it.hasIngress) return say('stop', 'would close it to what it does not let in', looks, ANOTHER)
  if (it.egress.some(rule => rule.action === 'deny'))
    return say('note', 'may keep it from the proxy', `it denies what goes out${certain}`, GATES)
  return say('note', 'is about it, too', `a policy beside ours${certain}`, GATES)
}

/** What is let out before something forbids all of it, or hands it on. */
const waysPast = ({ egress }: Foreign): Way[] => {
  const end = egress.findIndex(({ action, ways }) => action !== 'allow' && ways.some(isAll))
  return egress.slice(0, end < 0 ? undefined : end).flatMap(({ action, ways }) => (action === 'allow' ? ways : []))
}

const isAll = ({ what }: Way): boolean => what === 'everywhere' || what.endsWith('/0')

const { key, value } = EGRESS_LABEL
const EXCEPT = `except pods with ${key}=${value} there, or narrow it to what is in the cluster`
const ANOTHER = 'select by another label'
const NOTHING = 'nothing: the rollout sets up a NetworkPolicy for it'
const GATES = 'nothing: gates see what it comes to'
