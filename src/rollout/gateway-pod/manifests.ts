import { createHash } from 'node:crypto'
import type { Json } from '../../engine/json.ts'
import { OWN_NAMESPACE } from '../guard/rule.ts'
import { MANAGER } from '../kube/kube.ts'
import type { KubeObject } from '../kube/object.ts'
import { EGRESS_LABEL } from '../manifests.ts'
import { apart, confined, onNodesOf, surge } from '../own-pods.ts'
import { MANAGED_BY } from '../tenancy.ts'

/** Where the pods live that are a way out; no tenant may have it. */
export const GATEWAY_NAMESPACE = OWN_NAMESPACE

/** On every object of a tenant's that is not in its namespace. */
export const TENANT_LABEL = 'kapsule-egress/tenant'

/** The user of Squid in Debian's and Ubuntu's packages. */
const PROXY_USER = 13

export const gatewayName = (tenant: string): string => `egress-${tenant}`
/** With it by hand a pod's resolver needs two tries: its own namespace first. */
export const gatewayAddress = (tenant: string): string => `${gatewayName(tenant)}.${GATEWAY_NAMESPACE}`

export const gatewayLabels = (tenant: string): Record<string, string> => ({
  'app.kubernetes.io/name': 'egress-gateway',
  [TENANT_LABEL]: tenant,
})

/** Where its files are mounted, and the only directory that Squid writes to. */
export const gatewayPlaces = {
  files: '/etc/egress',
  policies: '/etc/egress-policies',
  spool: '/var/spool/squid',
} as const

export type GatewayPod = {
  tenant: string
  namespace: string
  image: string
  replicas: number
  /** Nodes with the label `node-pool` of this name. */
  pool: string
  port: number
  /** By name, what Squid is started with: squid.conf, policy-helper, start, health. */
  files: Record<string, string>
  /** The name that `health` asks for. */
  healthName: string
  dnsIp: string
  /** CIDRs where nothing leaves to. */
  inner: string[]
}

/** Objects of a tenant's gateway, but for its policy; each needs those before it. */
export const gatewayObjects = (it: GatewayPod): KubeObject[] => [service(it), firewall(it), settings(it), budget(it)]

const metadata = (tenant: string, name = gatewayName(tenant)) => ({
  name,
  namespace: GATEWAY_NAMESPACE,
  labels: { [MANAGED_BY]: MANAGER, ...gatewayLabels(tenant) },
})

const service = ({ tenant, port }: GatewayPod): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadata(tenant),
  spec: {
    type: 'ClusterIP',
    selector: gatewayLabels(tenant),
    ports: [{ port, protocol: 'TCP', targetPort: port }],
  },
})

/** In: the tenant's moved pods alone. Out: names, and what is not inside. */
const firewall = ({ tenant, namespace, port, dnsIp, inner }: GatewayPod): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: metadata(tenant),
  spec: {
    podSelector: { matchLabels: gatewayLabels(tenant) },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [
      {
        from: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
            podSelector: { matchLabels: { [EGRESS_LABEL.key]: EGRESS_LABEL.value } },
          },
        ],
        ports: [{ protocol: 'TCP', port }],
      },
    ],
    egress: [
      {
        to: [
          { ipBlock: { cidr: `${dnsIp}/32` } },
          { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } },
        ],
        ports: ['UDP', 'TCP'].map(protocol => ({ protocol, port: 53 })),
      },
      {
        to: [{ ipBlock: { cidr: '0.0.0.0/0', except: inner.filter(cidr => !cidr.includes(':')) } }],
        ports: [{ protocol: 'TCP' }],
      },
    ],
  },
})

/** By what is in it: pods of before keep what they were started with, and so does a rollback. */
const settings = ({ tenant, files }: GatewayPod): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: metadata(tenant, settingsName({ tenant, files })),
  immutable: true,
  data: files,
})

const settingsName = ({ tenant, files }: Pick<GatewayPod, 'tenant' | 'files'>): string =>
  `${gatewayName(tenant)}-${createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 8)}`

export const policyName = (tenant: string): string => `${gatewayName(tenant)}-policy`

/** One at a time may go: with a single replica that one, or its node could never be drained. */
const budget = ({ tenant }: GatewayPod): KubeObject => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: metadata(tenant),
  spec: { maxUnavailable: 1, selector: { matchLabels: gatewayLabels(tenant) } },
})

export const gatewayDeployment = (it: GatewayPod): KubeObject => {
  const { tenant, replicas, pool } = it
  const labels = gatewayLabels(tenant)
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(tenant),
    spec: {
      replicas,
      selector: { matchLabels: labels },
      strategy: surge,
      template: {
        metadata: { labels: { [MANAGED_BY]: MANAGER, ...labels } },
        spec: {
          ...onNodesOf(tenant, pool),
          ...apart(labels),
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 30,
          securityContext: {
            runAsNonRoot: true,
            ...{ runAsUser: PROXY_USER, runAsGroup: PROXY_USER, fsGroup: PROXY_USER },
            seccompProfile: { type: 'RuntimeDefault' },
          },
          volumes: [
            { name: 'files', configMap: { name: settingsName(it), defaultMode: 0o555 } },
            { name: 'policy', configMap: { name: policyName(tenant), defaultMode: 0o444 } },
            { name: 'spool', emptyDir: { sizeLimit: '64Mi' } },
          ],
          containers: [container(it)],
        },
      },
    },
  }
}

const container = ({ tenant, image, port, healthName }: GatewayPod): Json => {
  const { files, policies, spool } = gatewayPlaces
  const healthy = { exec: { command: [`${files}/health`, String(port), healthName] }, timeoutSeconds: 6 }
  return {
    name: 'squid',
    image,
    command: [`${files}/start`],
    env: [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
    ports: [{ containerPort: port, protocol: 'TCP' }],
    volumeMounts: [
      { name: 'files', mountPath: files, readOnly: true },
      { name: 'policy', mountPath: `${policies}/${tenant}`, readOnly: true },
      { name: 'spool', mountPath: spool },
    ],
    readinessProbe: { ...healthy, periodSeconds: 3 },
    livenessProbe: { tcpSocket: { port }, initialDelaySeconds: 10, periodSeconds: 10, timeoutSeconds: 3 },
    // No new connections come any more when Squid is told to end.
    lifecycle: { preStop: { exec: { command: ['sleep', '5'] } } },
    resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '512Mi' } },
    securityContext: confined,
  }
}
