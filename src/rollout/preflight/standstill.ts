import { asArgument, isLeaving } from '../workload.ts'
import type { Check, Finding } from './finding.ts'
import type { Moving, Wishes } from './sight.ts'

/** What stands still or goes: gates look from inside pods of the new template, and there would be none. */
export const standstill: Check = ({ moving, wishes }) => moving.flatMap(it => still(it, wishes))

const still = (it: Moving, { patient }: Wishes): Finding[] => {
  const { name, ref, workload, of, want } = it
  const { metadata, spec } = workload
  const stop = (what: string, why: string, next: string): Finding[] => [
    { level: 'stop', workload: name, what, why, next },
  ]
  const note = (what: string, why: string, next: string): Finding[] => [
    { level: 'note', workload: name, what, why, next },
  ]
  // The write itself would be refused.
  const firm = (...said: Parameters<typeof stop>) => stop(...said).map(it => ({ ...it, firm: true as const }))
  if (metadata.deletionTimestamp)
    return firm('it is being deleted', `since ${metadata.deletionTimestamp}`, 'wait, or take it out of the tenant file')
  const against = of.refuses?.(workload)
  if (against)
    return firm(ref.kind === 'Deployment' ? 'its rollout is paused' : 'it is not its own', against.why, against.next)
  if (workload.kind === 'CronJob') return schedule(it, patient)
  if (spec.replicas === 0 || (ref.kind !== 'Pod' && it.current.length + it.old.length === 0)) {
    const next = `kubectl -n ${want.namespace} scale ${asArgument(ref)} --replicas 1, or take it out of the tenant file`
    const other = 'give it a node to run on, or take it out of the tenant file'
    return stop(
      'it has no pods',
      'gates ask from inside pods, and nothing else is evidence',
      ref.kind === 'DaemonSet' ? other : next,
    )
  }
  const { type, rollingUpdate } = spec.updateStrategy ?? {}
  if (type === 'OnDelete') {
    const why = 'with OnDelete no pod gets the new template until its owner deletes it, and nobody is asked before'
    if (patient) return note('gates wait until its owner deletes a pod', why, patience)
    return stop('none of its pods would move', why, `${impatience}, set updateStrategy RollingUpdate, or leave it out`)
  }
  const partition = workload.kind === 'StatefulSet' ? (rollingUpdate?.partition ?? 0) : 0
  const replicas = spec.replicas ?? 1
  if (partition >= replicas && partition > 0) {
    const why = `its partition is ${partition}, and it has ${replicas} pods: none of them gets the new template`
    if (patient) return note('gates wait until its owner lowers the partition', why, patience)
    return stop('none of its pods would move', why, `lower the partition for the move, ${impatience}, or leave it out`)
  }
  if (partition > 0) {
    const why = `its partition is ${partition}: pods below it keep the old way out until their owner lets them go`
    return note(
      `${partition} of its ${replicas} pods stay as they are`,
      why,
      'lower the partition when the others are proved',
    )
  }
  const leaving = [...it.current, ...it.old].filter(isLeaving)
  if (leaving.length === 0) return []
  const [first] = leaving
  return note(
    'pods of it are on their way out',
    `${leaving.length}, e.g. ${first!.metadata.name}`,
    'nothing: they are not asked',
  )
}

const patience = 'do so when it is told: inconclusive.within has to last until then'
const impatience = 'say rollout: { inconclusive: { within: ... } } to do it when gates wait'

/** A CronJob has pods while a Job of it runs. */
const schedule = ({ name, workload: { spec }, want }: Moving, patient: boolean): Finding[] => {
  const { name: own } = want
  const resume = `kubectl -n ${want.namespace} patch cronjob ${own} -p '{"spec":{"suspend":false}}', or leave it out`
  if (spec.suspend)
    return [
      {
        level: 'stop',
        workload: name,
        what: 'it is suspended',
        why: 'no Job of it starts that gates could ask',
        next: resume,
      },
    ]
  const why = `it starts at ${JSON.stringify(spec.schedule ?? '')}, and gates need a Job of the new template that runs`
  if (patient)
    return [
      {
        level: 'note',
        workload: name,
        what: 'gates wait for its next Job',
        why,
        next: 'inconclusive.within has to last until then',
      },
    ]
  const next = 'say rollout: { inconclusive: { within: ... } } that lasts until its next Job, or leave it out'
  return [{ level: 'stop', workload: name, what: 'gates would find no Job of it', why, next }]
}
