import type { Kube } from '../kube/kube.ts'
import type { Pods, PodTemplate, Workload, WorkloadRef } from '../workload.ts'
import { cronJob } from './cron-job.ts'
import { daemonSet } from './daemon-set.ts'
import { deployment } from './deployment.ts'
import { job } from './job.ts'
import type { WorkloadKind } from './kind.ts'
import { barePod } from './pod.ts'
import { statefulSet } from './stateful-set.ts'

const kinds: Record<WorkloadRef['kind'], WorkloadKind> = {
  Deployment: deployment,
  StatefulSet: statefulSet,
  DaemonSet: daemonSet,
  CronJob: cronJob,
  Job: job,
  Pod: barePod,
}

export const kindOf = ({ kind }: Pick<WorkloadRef, 'kind'>): WorkloadKind => kinds[kind]

/** A workload and its pods, as they are now. */
export type Rollout = Pods & { workload: Workload; template: PodTemplate; of: WorkloadKind }

export type WorkloadAt = WorkloadRef & { namespace: string }

/** Null: not there. */
export const readWorkload = (kube: Kube, { kind, namespace, name }: WorkloadAt): Promise<Workload | null> =>
  kube.get<Workload>({ apiVersion: kinds[kind].apiVersion, kind, namespace, name })

export const readRollout = async (kube: Kube, at: WorkloadAt): Promise<Rollout | null> => {
  const workload = await readWorkload(kube, at)
  if (!workload) return null
  const of = kindOf(at)
  return { workload, template: templateOf(workload, of), of, ...(await of.pods(kube, workload)) }
}

export const templateOf = (workload: Workload, { templateAt }: WorkloadKind): PodTemplate => {
  const found = templateAt.reduce<unknown>((it, step) => (it as Record<string, unknown> | undefined)?.[step], workload)
  return (found ?? { spec: { containers: [] } }) as PodTemplate
}
