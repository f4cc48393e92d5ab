import type { Kube } from '../kube/kube.ts'
import type { Pod, Pods, Workload } from '../workload.ts'

/** How far a controller says it is; null: there. `stuck` does not get better by waiting. */
export type Progress = { state: 'waiting'; what: string } | { state: 'stuck'; why: string } | null

/** Pods of earlier templates that nobody but their owner renews, and the command by which one of them would be. */
export type Kept = { pods: Pod[]; renew: string }

/** How one kind of workload has its pods, and how it brings a new template to them. */
export type WorkloadKind = {
  apiVersion: string
  /** Where the pod template is in the object; []: the object is the pod. */
  templateAt: readonly string[]
  /** Nothing of its template can change: what was started is left to finish. */
  fixed?: true
  /** Pods that are there cannot be given variables: only the label moves. */
  labelOnly?: true
  /** Its pods, told apart by template. */
  pods(kube: Pick<Kube, 'list'>, workload: Workload): Promise<Pods>
  /** Asked when no pod of the new template crashes and the controller has seen the change. */
  progress(workload: Workload, pods: Pods): Progress
  /** The template has reached all that it will reach by itself. Says nothing about health. */
  settled(workload: Workload): boolean
  /** Of its earlier templates' pods, those that no controller renews by itself. Absent: there are never any. */
  kept?(workload: Workload, old: Pod[]): Kept | null
  /** Is this pod one of a workload of that name, as far as its own fields tell? Too many is fine. */
  isOne(pod: Pick<Pod, 'metadata'>, name: string): boolean
  /** Why it must not be moved as it is, and what to do; null: it may be. */
  refuses?(workload: Workload): { why: string; next: string } | null
}

/** Is the pod owned by one of that kind, whose name begins so? */
export const ownedByOne = (pod: Pick<Pod, 'metadata'>, kind: string, isNamed: (name: string) => boolean): boolean =>
  (pod.metadata.ownerReferences ?? []).some(it => it.kind === kind && isNamed(it.name))
