import { setTimeout as delay } from 'node:timers/promises'
import { withoutPasswords } from '../../engine/apply.ts'
import type { Json } from '../../engine/json.ts'
import type { KubeObject } from '../kube/object.ts'
import { KubeProblem } from '../kube/problem.ts'
import type { Container } from '../workload.ts'
import type { Moving, Refused } from './sight.ts'

/** What a cluster says to something that is only tried; null: it would take it. What is broken is thrown. */
export const tried = async (attempt: () => Promise<unknown>): Promise<Refused | null> => {
  try {
    await again(attempt)
    return null
  } catch (thrown) {
    // A webhook that must be asked and does not answer is said with 500: the write itself would not pass either.
    const isUnasked = thrown instanceof KubeProblem && /failed calling webhook/.test(thrown.why)
    if (!(thrown instanceof KubeProblem) || thrown.status < 400 || (thrown.status >= 500 && !isUnasked)) throw thrown
    // A right that is missing is told by itself.
    if (/ is forbidden: User "[^"]*" cannot /.test(thrown.why)) return null
    // A webhook may quote what it was shown.
    return { status: thrown.status, why: withoutPasswords(thrown.why), conflicts: thrown.conflicts }
  }
}

/** What changes nothing may be said again, also where the client would not: after a 5xx or a lost answer to a POST. */
export const again = async <T>(attempt: () => Promise<T>, pausesMs = [200, 800, 2400]): Promise<T> => {
  for (const pause of pausesMs) {
    try {
      return await attempt()
    } catch (thrown) {
      if (!(thrown instanceof KubeProblem) || (thrown.status !== 0 && thrown.status < 500)) throw thrown
      await delay(pause)
    }
  }
  return attempt()
}

/** A new pod as a controller would make it of the moved template; null: none will be made. */
export const podOf = ({ of, template, labels, want, workload, ref }: Moving): KubeObject | null => {
  if (of.fixed || of.labelOnly) return null
  const spec = template.spec as unknown as { [field: string]: Json } & { containers: Container[] }
  const withEnv = (list: Container[] = []): Json =>
    list.map(it => ({ ...it, env: [...(it.env ?? []).filter(isOther), ...want.env] })) as unknown as Json
  const isOther = ({ name }: { name: string }) => !want.env.some(it => it.name === name)
  const claims = (workload.spec.volumeClaimTemplates ?? []) as { metadata: { name: string } }[]
  const volumes = [
    ...((spec.volumes ?? []) as Json[]),
    ...claims.map(({ metadata: { name } }) => ({
      name,
      persistentVolumeClaim: { claimName: `${name}-${ref.name}-0` },
    })),
  ]
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${ref.name.slice(0, 40).replace(/\W+$/, '')}-egress-preflight`,
      namespace: want.namespace,
      labels: labels.after,
      ...(template.metadata?.annotations && { annotations: template.metadata.annotations }),
    },
    spec: {
      ...spec,
      containers: withEnv(spec.containers),
      ...(spec.initContainers && { initContainers: withEnv(template.spec.initContainers) }),
      ...(volumes.length > 0 && { volumes }),
    } as unknown as Json,
  }
}
