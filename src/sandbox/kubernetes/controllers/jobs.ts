import type { Api } from '../api/api.ts'
import { suffix } from '../api/api.ts'
import type { Record } from '../api/events.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { clone, isActive, isReady, now, withCondition } from '../objects/object.ts'
import { kind } from '../objects/resources.ts'
import type { Store } from '../objects/store.ts'
import { ownerReference } from './replicasets.ts'

const me = 'kube-controller-manager'
const of = kind('Job')

/** The selector and labels that the server gives a Job of its own. Changes it. */
export const labelJob = (job: Obj): void => {
  const { spec, metadata } = job
  if (spec.manualSelector) return
  const mine = { 'batch.kubernetes.io/controller-uid': metadata.uid }
  spec.selector ??= { matchLabels: mine }
  const names = { 'batch.kubernetes.io/job-name': metadata.name, 'job-name': metadata.name }
  const labels = { ...spec.template.metadata?.labels, ...mine, 'controller-uid': metadata.uid, ...names }
  spec.template.metadata = { ...spec.template.metadata, labels }
}

const conditionOf = (job: Obj, type: string): Loose =>
  job.status?.conditions?.find((it: Loose) => it.type === type && it.status === 'True')
export const isFinished = (job: Obj): boolean => !!conditionOf(job, 'Complete') || !!conditionOf(job, 'Failed')

/** Runs the pods of a Job until enough have succeeded or too many failed. Answers when to look again. */
export const reconcileJob = (
  store: Store,
  api: Api,
  record: Record,
  backoffMs: number,
  key: string,
): number | undefined => {
  const [namespace, name] = key.split('/') as [string, string]
  const job = store.get(of, namespace, name)
  if (!job || job.metadata.deletionTimestamp) return undefined
  if (isFinished(job)) return expire(api, job)
  const { spec } = job
  const status = clone(job.status ?? {})
  const pods = store.controlledBy(kind('Pod'), job.metadata.uid)
  const active = pods.filter(isActive)
  const ended = (phase: string) => pods.filter(it => it.status?.phase === phase)
  // Pods that were counted and are gone stay counted.
  status.succeeded = Math.max(status.succeeded ?? 0, ended('Succeeded').length) || undefined
  const failures = ended('Failed')
  status.failed = Math.max(status.failed ?? 0, failures.length) || undefined
  const wanted = spec.completions ?? 1
  const verdict = judge(job, status, active)
  const drop = (some: Obj[]) => {
    for (const it of some) {
      api.remove(kind('Pod'), namespace, it.metadata.name)
      record(job, 'Normal', 'SuccessfulDelete', `Deleted pod: ${it.metadata.name}`)
    }
  }
  let wait: number | undefined
  if (verdict) {
    drop(active)
    const [type, reason, message] = verdict
    const before = {
      type: type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget',
      status: 'True',
      reason,
      message,
    }
    status.conditions = withCondition(withCondition(status.conditions, before), { ...before, type })
    if (type === 'Complete') status.completionTime = now()
    record(job, type === 'Complete' ? 'Normal' : 'Warning', type === 'Complete' ? 'Completed' : reason, message)
  } else if (spec.suspend) {
    drop(active)
    delete status.startTime
    status.conditions = withCondition(status.conditions, suspended('True', 'JobSuspended', 'Job suspended'))
  } else {
    if (status.conditions?.some((it: Loose) => it.type === 'Suspended'))
      status.conditions = withCondition(status.conditions, suspended('False', 'JobResumed', 'Job resumed'))
    status.startTime ??= now()
    const room = Math.min(spec.parallelism ?? 1, wanted - (status.succeeded ?? 0)) - active.length
    const due = dueAt(failures, backoffMs)
    wait = nextLook(job, status, room > 0 ? due : undefined)
    if (room > 0 && due <= Date.now())
      for (let n = 0; n < room; n++) record(job, 'Normal', 'SuccessfulCreate', `Created pod: ${create(api, job)}`)
    if (room < 0) drop(active.slice(room))
  }
  const running = store.controlledBy(kind('Pod'), job.metadata.uid).filter(isActive)
  Object.assign(status, { active: running.length || undefined, ready: running.filter(isReady).length, terminating: 0 })
  const change = (it: Obj) => {
    it.status = status
  }
  api.modify(of, job, change, me, 'status')
  return wait
}

const suspended = (status: string, reason: string, message: string) => ({ type: 'Suspended', status, reason, message })

/** Whether it is over, with the reason and message that the real one gives. */
const judge = ({ spec }: Obj, status: Loose, active: Obj[]): ['Complete' | 'Failed', string, string] | undefined => {
  if ((status.succeeded ?? 0) >= (spec.completions ?? 1))
    return ['Complete', 'CompletionsReached', 'Reached expected number of succeeded pods']
  const restarts =
    spec.template.spec.restartPolicy === 'OnFailure' ? active.map(restartsOf).reduce((a, b) => a + b, 0) : 0
  if ((status.failed ?? 0) + restarts > (spec.backoffLimit ?? 6))
    return ['Failed', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit']
  const began = status.startTime ? Date.parse(status.startTime) : Date.now()
  if (spec.activeDeadlineSeconds !== undefined && Date.now() - began >= spec.activeDeadlineSeconds * 1000)
    return ['Failed', 'DeadlineExceeded', 'Job was active longer than specified deadline']
  return undefined
}

const restartsOf = (pod: Obj): number =>
  (pod.status?.containerStatuses ?? []).reduce((sum: number, it: Loose) => sum + it.restartCount, 0)

/** After n failures the next pod waits 2^n times the back-off from the last one's end. */
const dueAt = (failures: Obj[], backoffMs: number): number => {
  const ends = failures.flatMap(it =>
    (it.status?.containerStatuses ?? []).map((its: Loose) => Date.parse(its.state?.terminated?.finishedAt ?? 0)),
  )
  return ends.length === 0 ? 0 : Math.max(...ends) + Math.min(360_000, backoffMs * 2 ** (failures.length - 1))
}

const nextLook = ({ spec }: Obj, status: Loose, due: number | undefined): number | undefined => {
  const times = due !== undefined && due > Date.now() ? [due] : []
  if (spec.activeDeadlineSeconds !== undefined)
    times.push(Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1000)
  return times.length > 0 ? Math.max(0, Math.min(...times) - Date.now()) + 5 : undefined
}

const create = (api: Api, job: Obj): string => {
  const { metadata = {}, spec } = clone(job.spec.template)
  const { namespace, name } = job.metadata
  const { labels, annotations } = metadata
  const body = {
    metadata: { name: `${name}-${suffix()}`, namespace, labels, annotations, ownerReferences: [ownerReference(job)] },
    spec,
  } as unknown as Obj
  return api.create(kind('Pod'), namespace, body, { manager: me, internal: true }).metadata.name
}

/** A finished Job goes after its time, if it has one. */
const expire = (api: Api, job: Obj): number | undefined => {
  const { ttlSecondsAfterFinished: seconds } = job.spec
  if (seconds === undefined) return undefined
  const { lastTransitionTime } = conditionOf(job, 'Complete') ?? conditionOf(job, 'Failed')
  const left = Date.parse(lastTransitionTime) + seconds * 1000 - Date.now()
  if (left > 0) return left + 5
  api.remove(of, job.metadata.namespace, job.metadata.name, { propagationPolicy: 'Background' })
  return undefined
}
