import { sameJson } from '../../engine/json.ts'
import { isOver, ownedBy, type PodTemplate, type Workload } from '../workload.ts'
import { ownedByOne, type WorkloadKind } from './kind.ts'
import { near, own } from './own.ts'

/** Jobs that it starts from now on have the new template; those that run are left to finish. */
export const cronJob: WorkloadKind = {
  apiVersion: 'batch/v1',
  templateAt: ['spec', 'jobTemplate', 'spec', 'template'],
  async pods(kube, workload) {
    const [mine, pods] = await Promise.all([
      own<Workload>(kube, workload, { apiVersion: 'batch/v1', kind: 'Job' }),
      near(kube, workload),
    ])
    const template = workload.spec.jobTemplate?.spec.template
    const podsOf = (these: Workload[]) =>
      pods.filter(pod => !isOver(pod) && these.some(it => ownedBy(pod.metadata, it.metadata.uid)))
    const isNew = (it: Workload) => template !== undefined && leavesAs(it.spec.template, template)
    return { current: podsOf(mine.filter(isNew)), old: podsOf(mine.filter(it => !isNew(it))) }
  },
  progress: () => null,
  settled: () => true,
  isOne: (pod, name) => ownedByOne(pod, 'Job', it => it.startsWith(`${name}-`)),
}

/** Labels and variables are all that a move changes; the controller adds labels of its own to a Job's pods. */
const leavesAs = (job: PodTemplate | undefined, template: PodTemplate): boolean =>
  Object.entries(template.metadata?.labels ?? {}).every(([key, value]) => job?.metadata?.labels?.[key] === value) &&
  sameJson(variablesOf(job), variablesOf(template))

const variablesOf = (template: PodTemplate | undefined) =>
  JSON.parse(JSON.stringify(template?.spec.containers.map(({ name, env = [] }) => ({ name, env })) ?? null))
