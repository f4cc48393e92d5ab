import type { Json } from '../engine/json.ts'

/** What pods have in common that are ours. */

/** On the tenant's own nodes, which are kept for it. */
export const onNodesOf = (tenant: string, pool: string) => ({
  nodeSelector: { 'node-pool': pool },
  tolerations: [
    { key: `node-role.kubernetes.io/${tenant}`, operator: 'Equal', value: 'dedicated', effect: 'NoSchedule' },
  ],
})

/** On nodes apart, as far as there are any. */
export const apart = (matchLabels: Record<string, string>) => ({
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'kubernetes.io/hostname',
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels },
    },
  ],
})

/** Old pods serve until new ones are ready. */
export const surge: Json = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }

/** A container that can write to its volumes alone, and has no rights of its own. */
export const confined: Json = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
}

/** The user of images that name none of theirs by number, curl's too. */
export const asNobody: Json = { runAsNonRoot: true, runAsUser: 100, seccompProfile: { type: 'RuntimeDefault' } }
