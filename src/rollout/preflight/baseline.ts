import { crashing, whyNot } from '../pod-trouble.ts'
import { baselineOf, rolloutState } from '../rollout-state.ts'
import { asArgument, isLeaving, isReady } from '../workload.ts'
import { type Check, type Finding, nameOf } from './finding.ts'
import type { Moving } from './sight.ts'

/** What does not work before would be taken for our doing afterwards: it has to work first. */
export const baseline: Check = ({ namespace, moving, absent }) => [
  ...absent.map(
    (workload): Finding => ({
      level: 'stop',
      workload: nameOf({ namespace, workload }),
      what: 'it is not there',
      why: 'the inventory names a workload that the cluster does not have',
      next: 'deploy it, or take it out of the tenant file',
    }),
  ),
  ...moving.filter(isJudged).flatMap(ailing),
]

/** What is on its way by us is the business of gates; what goes or stands still is told by another check. */
const isJudged = ({ begun, workload: { kind, metadata, spec } }: Moving): boolean =>
  !begun && kind !== 'CronJob' && kind !== 'Job' && !metadata.deletionTimestamp && !spec.paused

const ailing = (it: Moving): Finding[] => {
  const { name, ref, want } = it
  const [current, old] = [it.current, it.old].map(pods => pods.filter(pod => !isLeaving(pod))) as [Pods, Pods]
  const stop = (what: string, why: string, next: string): Finding => ({
    level: 'stop',
    workload: name,
    what,
    why,
    next,
  })
  const kubectl = `kubectl -n ${want.namespace}`
  for (const pod of [...current, ...old]) {
    const why = crashing(pod)
    const { name } = pod.metadata
    if (why) return [stop('it crashes already', `${name}: ${why}`, `${kubectl} logs --previous ${name}; mend it first`)]
  }
  const look = `${kubectl} describe ${asArgument(ref)}; mend it first`
  const state = rolloutState({ ...it, current, old }, baselineOf(it))
  if (state.state === 'stuck') return [stop('a rollout of it is stuck', state.why, look)]
  if (state.state === 'waiting')
    return [{ ...stop('a rollout of it is under way', state.what, 'wait until it is through'), passing: true }]
  const all = [...current, ...old]
  const unready = all.filter(pod => !isReady(pod))
  if (unready.length === 0) return []
  const why = `${all.length - unready.length} of ${all.length} pods are ready${whyNot(unready)}`
  return [{ ...stop('it is not healthy', why, look), passing: true }]
}

type Pods = Moving['current']
