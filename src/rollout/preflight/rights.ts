import { OWN_NAMESPACE } from '../guard/rule.ts'
import { LEASES } from '../kube/lease.ts'
import type { WorkloadRef } from '../workload.ts'
import { kindOf } from '../workloads/read.ts'
import type { Check } from './finding.ts'
import type { Right } from './sight.ts'

/** Each right that a rollout needs and this user does not have, a row for each resource. */
export const rights: Check = ({ namespace, missing }) =>
  missing.map(({ level, verbs, group, resource, subresource, without, namespace: elsewhere = namespace }) => {
    const what = subresource ? `${resource}/${subresource}` : resource
    return {
      level,
      workload: elsewhere || 'the cluster',
      what: `may not ${verbs.join(', ')} ${what}`,
      why: without,
      next: `a ${elsewhere ? 'Role' : 'ClusterRole'} with apiGroups ["${group}"], resources ["${what}"], verbs ${JSON.stringify(verbs)} for this user`,
    }
  })

/** Rights that a run needs outside of its tenants' namespaces. */
export const sharedRights: Right[] = [
  {
    ...{ level: 'stop', verbs: ['get', 'create', 'patch'], group: 'coordination.k8s.io', resource: 'leases' },
    ...{ namespace: LEASES, without: 'a run holds a Lease, so that two machines never change a cluster at once' },
  },
  {
    ...{ level: 'stop', verbs: ['get'], group: '', resource: 'namespaces', name: 'kube-system', namespace: '' },
    without: 'a cluster is known by the UID of kube-system',
  },
  ...[
    { verbs: ['get'], group: '', resource: 'services', name: 'kubernetes' },
    { verbs: ['list'], group: 'discovery.k8s.io', resource: 'endpointslices' },
  ].map(it => ({
    ...{ level: 'stop' as const, ...it, namespace: 'default' },
    without: 'where the API server answers, which moved pods must still reach, could not be known',
  })),
]

/** What a rollout makes of its own in the namespace, beside the workloads. */
export type Makes = { service: boolean; certificates: boolean; gateway?: boolean }

const plural: Record<WorkloadRef['kind'], string> = {
  ...{ Deployment: 'deployments', StatefulSet: 'statefulsets', DaemonSet: 'daemonsets' },
  ...{ CronJob: 'cronjobs', Job: 'jobs', Pod: 'pods' },
}

/** Where a workload's pods are told apart by what is between. */
const between: { [kind in WorkloadRef['kind']]?: [group: string, resource: string] } = {
  ...{ Deployment: ['apps', 'replicasets'], DaemonSet: ['apps', 'controllerrevisions'], CronJob: ['batch', 'jobs'] },
}

/** All rights of a rollout and its way back. */
export const neededRights = (
  kinds: readonly WorkloadRef['kind'][],
  { service, certificates, gateway }: Makes,
): Right[] => {
  const right = (verbs: string, [group, resource, subresource]: string[], without: string): Right => ({
    level: 'stop',
    verbs: verbs.split(' '),
    group: group!,
    resource: resource!,
    ...(subresource && { subresource }),
    without,
  })
  const note = (it: Right): Right => ({ ...it, level: 'note' })
  const made = (group: string, resource: string) =>
    right('get create patch delete', [group, resource], 'what a rollout sets up here could not be made or taken back')
  const moves = [...new Set(kinds)].flatMap(kind => {
    const { apiVersion } = kindOf({ kind })
    const group = apiVersion.includes('/') ? apiVersion.split('/')[0]! : ''
    const over = between[kind]
    return [
      right('get list watch patch', [group, plural[kind]], 'they could not be moved'),
      ...(over ? [right('list', [...over], 'new pods could not be told from old ones')] : []),
    ]
  })
  const rbac = 'rbac.authorization.k8s.io'
  return [
    ...moves,
    right('get list watch', ['', 'pods'], 'nobody could look at pods'),
    right('get', ['', 'pods', 'exec'], 'gates look from inside pods'),
    note(right('create', ['', 'pods', 'exec'], 'newer API servers ask for it besides get')),
    note(right('get', ['', 'pods', 'log'], 'last words of a crash could not be told')),
    right('create delete', ['', 'pods'], 'no pod of ours could show that the policy holds before a workload moves'),
    ...(kinds.includes('Pod') ? [] : [note(right('patch', ['', 'pods'], 'a pod that loses the label keeps the old way out'))]), // biome-ignore format: a row
    made('', 'configmaps'),
    made('networking.k8s.io', 'networkpolicies'),
    ...(certificates ? [right('get', ['', 'secrets'], 'whether pods have a certificate could not be known')] : []),
    ...(service
      ? [
          made('', 'services'),
          made('discovery.k8s.io', 'endpointslices'),
          made('', 'serviceaccounts'),
          made(rbac, 'roles'),
          made(rbac, 'rolebindings'),
          made('policy', 'poddisruptionbudgets'),
          made('apps', 'deployments'),
        ]
      : []),
    ...(gateway ? inItsOwn(right, made) : []),
  ]
}

type Say = (verbs: string, of: string[], without: string) => Right

/** Of a gateway's pods, where they live. */
const inItsOwn = (right: Say, made: (group: string, resource: string) => Right): Right[] =>
  [
    ...['configmaps', 'services'].map(it => made('', it)),
    made('networking.k8s.io', 'networkpolicies'),
    made('policy', 'poddisruptionbudgets'),
    right('get list watch create patch delete', ['apps', 'deployments'], 'the way out itself could not be made'),
    right('list', ['apps', 'replicasets'], 'new pods could not be told from old ones'),
    right('get list watch patch', ['', 'pods'], 'pods are told of a new policy by an annotation'),
    right('get', ['', 'pods', 'exec'], 'each pod is asked whether it decides by a policy'),
    right('get', ['', 'pods', 'log'], 'the audit log is what its pods say'),
  ].map(it => ({ ...it, namespace: OWN_NAMESPACE }))
