import { Problem } from '../../engine/problem.ts'
import { type Forbidden, forbidden } from '../guard.ts'
import type { Kube } from '../kube/kube.ts'
import type { KubeObject } from '../kube/object.ts'
import { isGone } from '../kube/problem.ts'
import { isOver, type Pod } from '../workload.ts'
import type { Ground } from './rule.ts'

/** What is forbidden in one namespace. `unseen`: kinds that could not be looked at, and why. */
export type Survey = { namespace: string; found: Forbidden[]; unseen: string[] }

const KINDS = [
  ...['Deployment', 'StatefulSet', 'DaemonSet'].map(kind => ({ apiVersion: 'apps/v1', kind })),
  ...['CronJob', 'Job'].map(kind => ({ apiVersion: 'batch/v1', kind })),
  { apiVersion: 'v1', kind: 'ConfigMap' },
  { apiVersion: 'v1', kind: 'Pod' },
]

/** Looks at what makes pods, at pods, and at settings; changes nothing. What may not be listed is said, never left out. */
export const survey = async (kube: Kube, namespace: string, ground: Ground): Promise<Survey> => {
  const unseen = new Map<string, string[]>()
  const lists = await Promise.all(
    KINDS.map(async kind => {
      try {
        return (await kube.list<KubeObject>({ ...kind, namespace })).items
      } catch (thrown) {
        if (!(thrown instanceof Problem)) throw thrown
        // A cluster without that kind has none of it.
        if (!isGone(thrown)) unseen.set(thrown.why, [...(unseen.get(thrown.why) ?? []), kind.kind])
        return []
      }
    }),
  )
  return {
    namespace,
    found: foundIn(lists.flat().filter(isLive), ground),
    unseen: [...unseen].map(([why, kinds]) => `${kinds.sort().join(', ')}: ${why}`),
  }
}

/** Pure. What pods have of their template is told of what made them, once; what was put into them, of one of them. */
export const foundIn = (objects: readonly KubeObject[], ground: Ground): Forbidden[] => {
  const pods = objects.filter(makerOf)
  const templates = objects.filter(it => !makerOf(it)).flatMap(it => forbidden(it, ground))
  const known = new Set(templates.map(it => it.why))
  const added = pods.flatMap(pod =>
    forbidden(pod, ground).flatMap(it => {
      const key = `${makerOf(pod)} ${it.why}`
      if (known.has(it.why) || known.has(key)) return []
      known.add(key)
      return [it]
    }),
  )
  return [...templates, ...added]
}

const makerOf = ({ metadata }: KubeObject): string | undefined =>
  metadata.ownerReferences?.find(it => it.controller)?.uid

const isLive = (it: KubeObject): boolean =>
  it.metadata.deletionTimestamp === undefined &&
  (it.status as { completionTime?: string } | undefined)?.completionTime === undefined &&
  !(it.kind === 'Pod' && isOver(it as unknown as Pod))
