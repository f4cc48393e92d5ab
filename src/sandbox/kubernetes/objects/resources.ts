/** One resource type of the API: where it is served and which parts it has. */
export type Resource = {
  group: string
  version: string
  kind: string
  plural: string
  namespaced: boolean
  short: string[]
  /** Subresources; `status` splits writes of spec and status. */
  sub: string[]
  /** metadata.generation counts changes of the spec. */
  generation: boolean
  /** In `kubectl get all`. */
  all: boolean
  /** Answers reviews: create only, nothing is stored. */
  review: boolean
  /** Another view of what the core group stores under the same kind. */
  view: boolean
}

type Row = [kind: string, plural: string, short?: string, flags?: string]

// flags: c cluster-wide, s status, g generation, x scale, a in "all", r review only, v another view
const table: Record<string, Row[]> = {
  v1: [
    ['Namespace', 'namespaces', 'ns', 'cs'],
    ['Pod', 'pods', 'po', 'sa'],
    ['Service', 'services', 'svc', 'sa'],
    ['Endpoints', 'endpoints', 'ep'],
    ['ConfigMap', 'configmaps', 'cm'],
    ['Secret', 'secrets'],
    ['ServiceAccount', 'serviceaccounts', 'sa'],
    ['Node', 'nodes', 'no', 'cs'],
    ['Event', 'events', 'ev'],
    ['ResourceQuota', 'resourcequotas', 'quota', 's'],
    ['LimitRange', 'limitranges', 'limits'],
    ['PersistentVolumeClaim', 'persistentvolumeclaims', 'pvc', 's'],
  ],
  'apps/v1': [
    ['Deployment', 'deployments', 'deploy', 'sgxa'],
    ['ReplicaSet', 'replicasets', 'rs', 'sgxa'],
    ['StatefulSet', 'statefulsets', 'sts', 'sgxa'],
    ['DaemonSet', 'daemonsets', 'ds', 'sga'],
    ['ControllerRevision', 'controllerrevisions'],
  ],
  'batch/v1': [
    ['Job', 'jobs', undefined, 'sga'],
    ['CronJob', 'cronjobs', 'cj', 'sga'],
  ],
  'networking.k8s.io/v1': [['NetworkPolicy', 'networkpolicies', 'netpol', 'g']],
  'discovery.k8s.io/v1': [['EndpointSlice', 'endpointslices']],
  'events.k8s.io/v1': [['Event', 'events', 'ev', 'v']],
  'coordination.k8s.io/v1': [['Lease', 'leases']],
  'policy/v1': [['PodDisruptionBudget', 'poddisruptionbudgets', 'pdb', 'sg']],
  'rbac.authorization.k8s.io/v1': [
    ['Role', 'roles'],
    ['RoleBinding', 'rolebindings'],
    ['ClusterRole', 'clusterroles', undefined, 'c'],
    ['ClusterRoleBinding', 'clusterrolebindings', undefined, 'c'],
  ],
  'authorization.k8s.io/v1': [
    ['SelfSubjectAccessReview', 'selfsubjectaccessreviews', undefined, 'cr'],
    ['SelfSubjectRulesReview', 'selfsubjectrulesreviews', undefined, 'cr'],
    ['SubjectAccessReview', 'subjectaccessreviews', undefined, 'cr'],
    ['LocalSubjectAccessReview', 'localsubjectaccessreviews', undefined, 'r'],
  ],
  'authentication.k8s.io/v1': [['SelfSubjectReview', 'selfsubjectreviews', undefined, 'cr']],
  'admissionregistration.k8s.io/v1': [
    ['ValidatingAdmissionPolicy', 'validatingadmissionpolicies', undefined, 'csg'],
    ['ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings', undefined, 'c'],
  ],
}

const more: Record<string, string[]> = {
  Pod: ['log', 'exec', 'eviction', 'ephemeralcontainers'],
  ServiceAccount: ['token'],
}

export const resources: Resource[] = Object.entries(table).flatMap(([apiVersion, rows]) =>
  rows.map(([kind, plural, short, flags = '']) => {
    const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
    const sub = [...(flags.includes('s') ? ['status'] : []), ...(flags.includes('x') ? ['scale'] : [])]
    return {
      group: group!,
      version: version!,
      kind,
      plural,
      namespaced: !flags.includes('c'),
      short: short ? [short] : [],
      sub: [...sub, ...(more[kind] ?? [])],
      generation: flags.includes('g'),
      all: flags.includes('a'),
      review: flags.includes('r'),
      view: flags.includes('v'),
    }
  }),
)

export const apiVersionOf = (of: Resource): string => (of.group ? `${of.group}/${of.version}` : of.version)

const byPath = new Map(resources.map(it => [`${apiVersionOf(it)}/${it.plural}`, it]))
const byKind = new Map(resources.filter(it => !it.view).map(it => [it.kind, it]))

export const resourceAt = (apiVersion: string, plural: string): Resource | undefined =>
  byPath.get(`${apiVersion}/${plural}`)

/** By kind; kinds are unique in this emulator. Throws on one it does not serve: a mistake of ours. */
export const kind = (name: string): Resource => {
  const found = byKind.get(name)
  if (!found) throw new Error(`no resource of kind ${name}`)
  return found
}

export const maybeKind = (apiVersion: string, name: string): Resource | undefined => {
  const found = byKind.get(name)
  return found && apiVersionOf(found) === apiVersion ? found : undefined
}
