import { readFileSync } from 'node:fs'
import type { Json } from '../engine/json.ts'
import { MANAGER } from './kube/kube.ts'
import type { KubeObject } from './kube/object.ts'
import type { ProxyFiles } from './manifests.ts'
import { PROXY_FILES } from './no-proxy.ts'
import { apart, asNobody, confined, onNodesOf, surge } from './own-pods.ts'
import { MANAGED_BY } from './tenancy.ts'

/** What pods call the Service before a tenant's proxies: one label, so that their first look-up finds it. */
export const SERVICE = 'egress-proxy'
export const HEALTH = 'egress-proxy-health'

/** On the slice, one a proxy that gets nothing new: with its address. */
export const drainMark = (address: string): string => `drain.kapsule-egress/${address}`

const OURS = { [MANAGED_BY]: MANAGER }
const PODS = { 'app.kubernetes.io/name': HEALTH }

/** One address before all proxies of a tenant. It selects no pods: the slice says who is behind it. */
export const proxyService = (namespace: string, port: number): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: SERVICE, namespace, labels: OURS },
  spec: { type: 'ClusterIP', ports: [{ port, protocol: 'TCP', targetPort: port }] },
})

/** Ready until the health loop says otherwise. Another manager's name keeps the controllers of the cluster off it. */
export const proxySlice = (namespace: string, addresses: string[], port: number): KubeObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: SERVICE,
    namespace,
    labels: {
      ...OURS,
      'kubernetes.io/service-name': SERVICE,
      'endpointslice.kubernetes.io/managed-by': 'kapsule-egress',
    },
  },
  addressType: 'IPv4',
  ports: [{ name: '', port, protocol: 'TCP' }],
  endpoints: addresses.map(it => ({ addresses: [it], conditions: { ready: true } })),
})

export type HealthLoop = {
  tenant: string
  namespace: string
  pool: string
  addresses: string[]
  port: number
  /** A URL that every proxy refuses, with 307 if it is well, and does not log. */
  ask: string
  /** Where the proxies ask for certificates, too: the pods' own. */
  files?: ProxyFiles
}

/** Is it a pod of the health loop? */
export const isHealthLoop = ({
  metadata: { labels = {} },
}: {
  metadata: { labels?: Record<string, string> }
}): boolean => Object.entries(PODS).every(([key, value]) => labels[key] === value)

/** The health loop: two pods that may change one slice, and nothing else in the cluster. */
export const healthLoop = (it: HealthLoop): { rights: KubeObject[]; deployment: KubeObject } => {
  const { namespace } = it
  const metadata = { name: HEALTH, namespace, labels: OURS }
  const rbac = 'rbac.authorization.k8s.io'
  const rights: KubeObject[] = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'Role',
      metadata,
      rules: [
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['patch'], resourceNames: [SERVICE] },
      ],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: rbac, kind: 'Role', name: HEALTH },
      subjects: [{ kind: 'ServiceAccount', name: HEALTH, namespace }],
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata,
      spec: { minAvailable: 1, selector: { matchLabels: PODS } },
    },
  ]
  return { rights, deployment: deployment(it) }
}

const deployment = ({ tenant, namespace, pool, addresses, port, ask, files }: HealthLoop): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: HEALTH, namespace, labels: { ...OURS, ...PODS } },
  spec: {
    replicas: 2,
    selector: { matchLabels: PODS },
    strategy: surge,
    template: {
      metadata: { labels: { ...OURS, ...PODS } },
      spec: {
        ...onNodesOf(tenant, pool),
        ...apart(PODS),
        serviceAccountName: HEALTH,
        automountServiceAccountToken: true,
        terminationGracePeriodSeconds: 2,
        securityContext: asNobody,
        volumes: [{ name: 'beat', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }, ...(files ? [files.volume] : [])],
        containers: [
          {
            name: 'health',
            image: 'curlimages/curl:8.11.1',
            command: ['sh', '-c', script],
            env: Object.entries({
              PROXIES: addresses.join(' '),
              PORT: String(port),
              EVERY: '0.15',
              ASK: ask,
              SLICE: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices/${SERVICE}`,
              BEAT: '/beat',
              ...(files && { FILES: PROXY_FILES }),
            }).map(([name, value]) => ({ name, value })),
            volumeMounts: [{ name: 'beat', mountPath: '/beat' }, ...(files ? [files.mount] : [])],
            readinessProbe: { ...fresh('[ -e /beat/told ] && '), periodSeconds: 5 },
            livenessProbe: { ...fresh(''), initialDelaySeconds: 10, periodSeconds: 10 },
            resources: { requests: { cpu: '50m', memory: '16Mi' }, limits: { memory: '64Mi' } },
            securityContext: confined,
          },
        ],
      },
    },
  },
})

/** Has it gone round in the last 15 s? */
const fresh = (also: string): { exec: Json; timeoutSeconds: number } => ({
  exec: { command: ['sh', '-c', `${also}[ $(($(date +%s) - $(cat /beat/now))) -lt 15 ]`] },
  timeoutSeconds: 2,
})

const script = readFileSync(new URL('health-loop.sh', import.meta.url), 'utf8')
