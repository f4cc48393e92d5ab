import type { Api } from '../api/api.ts'
import type { Record } from '../api/events.ts'
import { clockOf, parseSchedule } from '../objects/cron.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { clone } from '../objects/object.ts'
import { kind } from '../objects/resources.ts'
import type { Store } from '../objects/store.ts'
import { isFinished } from './jobs.ts'
import { ownerReference } from './replicasets.ts'

const me = 'kube-controller-manager'
const of = kind('CronJob')
const minuteMs = 60_000
/** How many missed minutes are looked at; the real one gives up after a hundred missed starts. */
const most = 100

/** Starts the Job that is due and forgets old ones. Answers when the next minute begins. */
export const reconcileCronJob = (store: Store, api: Api, record: Record, key: string): number | undefined => {
  const [namespace, name] = key.split('/') as [string, string]
  const cron = store.get(of, namespace, name)
  if (!cron || cron.metadata.deletionTimestamp) return undefined
  const jobs = store.controlledBy(kind('Job'), cron.metadata.uid)
  const running = jobs.filter(it => !isFinished(it))
  const due = cron.spec.suspend ? undefined : lastDue(cron)
  const status: Loose = { ...clone(cron.status ?? {}) }
  if (due !== undefined) {
    const isBusy = running.length > 0 && cron.spec.concurrencyPolicy === 'Forbid'
    if (isBusy) record(cron, 'Normal', 'JobAlreadyActive', 'Not starting job because prior execution is running')
    else {
      if (cron.spec.concurrencyPolicy === 'Replace') for (const it of running) drop(api, it)
      const made = create(store, api, cron, due)
      if (made) record(cron, 'Normal', 'SuccessfulCreate', `Created job ${made}`)
      status.lastScheduleTime = iso(due)
    }
  }
  forget(api, cron, jobs)
  const left = store.controlledBy(kind('Job'), cron.metadata.uid)
  const active = left.filter(it => !isFinished(it)).map(reference)
  status.active = active.length > 0 ? active : undefined
  const ends = left.flatMap(it => (it.status?.completionTime ? [it.status.completionTime] : []))
  if (ends.length > 0) status.lastSuccessfulTime = [...ends, status.lastSuccessfulTime ?? ''].sort().at(-1)
  const change = (it: Obj) => {
    it.status = status
  }
  api.modify(of, cron, change, me, 'status')
  return minuteMs - (Date.now() % minuteMs) + 20
}

const iso = (time: number) => new Date(time).toISOString().replace('.000', '')
const reference = ({ apiVersion, kind, metadata: { namespace, name, uid, resourceVersion } }: Obj) => ({
  ...{ apiVersion, kind, namespace, name, uid, resourceVersion },
})

/** The last minute since the last start, or since it was made, that the schedule names and that is not too late. */
const lastDue = ({ spec, status, metadata }: Obj): number | undefined => {
  const isDue = parseSchedule(spec.schedule)
  if (!isDue) return undefined
  const since = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp)
  const late = spec.startingDeadlineSeconds === undefined ? since : Date.now() - spec.startingDeadlineSeconds * 1000
  const now = Math.floor(Date.now() / minuteMs) * minuteMs
  for (let at = now; at > Math.max(since, late, now - most * minuteMs); at -= minuteMs)
    if (isDue(clockOf(at, spec.timeZone))) return at
  return undefined
}

const create = (store: Store, api: Api, cron: Obj, due: number): string | undefined => {
  const { metadata = {}, spec } = clone(cron.spec.jobTemplate)
  const { namespace } = cron.metadata
  const name = `${cron.metadata.name}-${due / minuteMs}`
  if (store.get(kind('Job'), namespace, name)) return undefined
  const annotations = { ...metadata.annotations, 'batch.kubernetes.io/cronjob-scheduled-timestamp': iso(due) }
  const body = {
    metadata: { name, namespace, labels: metadata.labels, annotations, ownerReferences: [ownerReference(cron)] },
    spec,
  } as unknown as Obj
  return api.create(kind('Job'), namespace, body, { manager: me, internal: true }).metadata.name
}

const drop = (api: Api, job: Obj) =>
  api.remove(kind('Job'), job.metadata.namespace, job.metadata.name, { propagationPolicy: 'Background' })

const forget = (api: Api, { spec }: Obj, jobs: Obj[]) => {
  const newest = (a: Obj, b: Obj) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1)
  const finished = jobs.filter(isFinished).sort(newest)
  const hasSucceeded = (it: Obj) => !!it.status?.completionTime
  const surplus = [
    ...finished.filter(hasSucceeded).slice(spec.successfulJobsHistoryLimit),
    ...finished.filter(it => !hasSucceeded(it)).slice(spec.failedJobsHistoryLimit),
  ]
  for (const it of surplus) drop(api, it)
}
