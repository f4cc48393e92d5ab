import type { KubeObject } from '../kube/object.ts'
import type { Check, Finding } from './finding.ts'
import type { Moving } from './sight.ts'

/** What makes more or fewer pods of a workload, or other ones, while it moves. */
export const scaling: Check = ({ moving, scalers }) =>
  moving.flatMap(it => scalers.filter(scaler => isOf(it, scaler)).flatMap(scaler => told(it, scaler)))

type Spec = {
  scaleTargetRef?: { kind?: string; name?: string }
  targetRef?: { kind?: string; name?: string }
  minReplicas?: number
  maxReplicas?: number
  minReplicaCount?: number
  maxReplicaCount?: number
  updatePolicy?: { updateMode?: string }
}

const specOf = ({ spec }: KubeObject): Spec => (spec ?? {}) as Spec

const isOf = ({ ref }: Moving, scaler: KubeObject): boolean => {
  const { scaleTargetRef, targetRef } = specOf(scaler)
  const { kind = 'Deployment', name } = scaleTargetRef ?? targetRef ?? {}
  return kind === ref.kind && name === ref.name
}

const told = ({ name }: Moving, scaler: KubeObject): Finding[] => {
  const { kind, metadata } = scaler
  const spec = specOf(scaler)
  const note = (what: string, why: string, next: string): Finding[] => [
    { level: 'note', workload: name, what: `${kind} ${metadata.name} ${what}`, why, next },
  ]
  if (kind === 'VerticalPodAutoscaler') {
    const { updateMode = 'Recreate' } = spec.updatePolicy ?? {}
    if (updateMode === 'Off' || updateMode === 'Initial') return []
    const why = `its updateMode is ${updateMode}: pods that gates ask may go, and others come`
    return note('may replace its pods while it moves', why, 'nothing; or set updateMode: Initial for the move')
  }
  // KEDA's own words, with its defaults.
  const isKeda = kind === 'ScaledObject'
  const least = isKeda ? (spec.minReplicaCount ?? 0) : (spec.minReplicas ?? 1)
  const most = isKeda ? (spec.maxReplicaCount ?? 100) : (spec.maxReplicas ?? least)
  const why = `${least} to ${most} pods: quota and room were reckoned with those that it has now`
  if (least > 0)
    return note('may change its replicas while it moves', why, 'nothing: the move waits for as many as there are')
  return note('may take all its pods away', why, 'keep one for the move: gates ask from inside pods')
}
