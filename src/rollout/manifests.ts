import type { Wanting } from '../engine/desired.ts'
import type { Json } from '../engine/json.ts'
import { MANAGER } from './kube/kube.ts'
import type { KubeObject } from './kube/object.ts'
import { PROXY_FILES, type ProxyAt } from './no-proxy.ts'
import { asNobody, confined, onNodesOf, surge } from './own-pods.ts'
import { MANAGED_BY } from './tenancy.ts'

const OURS = { [MANAGED_BY]: MANAGER }

/** What a pod carries that leaves by the proxy. */
export const EGRESS_LABEL = { key: 'egress', value: 'external' }

/** The annotation is a second field of ours: whoever overwrites the label by hand does not end our ownership. */
export const namespace = (name: string, purpose = 'workloads of one tenant'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: OURS, annotations: { 'kapsule-egress/purpose': purpose } },
})

/** Where the proxy is, for workloads that read it themselves; `authority`: PEM of what it is known by, where it asks for certificates. */
export const proxyConfigMap = (
  at: { namespace: string; name?: string },
  proxy: ProxyAt,
  authority?: Wanting<string>,
): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: at.name ?? 'egress-proxy', namespace: at.namespace, labels: OURS },
  data: {
    ...{ PROXY_ADDRESS: proxy.address, PROXY_PORT: String(proxy.port) },
    ...(authority && { 'ca.crt': authority as string, '.curlrc': curlrc }),
  },
})

const curlrc = [`proxy-cacert`, `proxy-cert`, `proxy-key`]
  .map((it, n) => `${it} = "${PROXY_FILES}/${['ca.crt', 'tls.crt', 'tls.key'][n]}"\n`)
  .join('')

export type ProxyFiles = { volume: Json; mount: Json }

/** One directory of a pod: the operator's Secret, and what is no secret from our own ConfigMap. */
export const proxyFiles = (secret: string): ProxyFiles => ({
  volume: {
    name: 'kapsule-egress-proxy',
    projected: {
      sources: [
        { secret: { name: secret, items: ['tls.crt', 'tls.key'].map(key => ({ key, path: key })) } },
        { configMap: { name: 'egress-proxy', items: ['ca.crt', '.curlrc'].map(key => ({ key, path: key })) } },
      ],
    },
  },
  mount: { name: 'kapsule-egress-proxy', mountPath: PROXY_FILES, readOnly: true },
})

/** `api`: the rule that lets pods to the API server where its Service leads. */
export type EgressRanges = { pods: string; services: string; dnsIp: string; api?: Wanting<Json> }

/** A proxy as a NetworkPolicy names it: a host by its address, pods by who they are. */
export type ProxyPeer = ({ address: string } | { pods: Json }) & { port: number }

/**
 * Labelled pods reach the proxies, DNS and the cluster, nothing else. DNS is named by address and by pods, because
 * some networks see the Service's address and some the pod behind it.
 */
export const egressPolicy = (
  at: { namespace: string; name?: string },
  proxies: ProxyPeer[],
  { pods, services, dnsIp, api }: EgressRanges,
): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: at.name ?? 'egress-by-proxy', namespace: at.namespace, labels: OURS },
  spec: {
    podSelector: { matchLabels: { [EGRESS_LABEL.key]: EGRESS_LABEL.value } },
    policyTypes: ['Egress'],
    egress: [
      ...proxies.map(it =>
        rule(['pods' in it ? it.pods : block(`${it.address}/32`)], [{ protocol: 'TCP', port: it.port }]),
      ),
      rule(
        [
          block(`${dnsIp}/32`),
          { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } },
        ],
        [
          { protocol: 'UDP', port: 53 },
          { protocol: 'TCP', port: 53 },
        ],
      ),
      rule([block(pods), block(services)]),
      ...(api ? [api as Json] : []),
    ],
  },
})

const block = (cidr: string): Json => ({ ipBlock: { cidr } })
const rule = (to: Json[], ports?: Json[]): Json => ({ to, ...(ports && { ports }) })

/** Who applies demo workloads: another name, so that moving one owns its own fields only. */
export const DEMO_MANAGER = 'kapsule-egress-demo'

export type Demo = { tenant: string; namespace: string; name: string; pool: string; replicas?: number }

/** A workload to try things on: pods that wait, with curl in them, on the tenant's own nodes. */
export const demoWorkload = ({ tenant, namespace, name, pool, replicas = 1 }: Demo): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace, labels: { ...OURS, 'app.kubernetes.io/name': name } },
  spec: {
    replicas,
    selector: { matchLabels: { 'app.kubernetes.io/name': name } },
    strategy: surge,
    template: {
      metadata: { labels: { ...OURS, 'app.kubernetes.io/name': name } },
      spec: {
        ...onNodesOf(tenant, pool),
        automountServiceAccountToken: false,
        // sleep ignores TERM as process 1.
        terminationGracePeriodSeconds: 1,
        securityContext: asNobody,
        containers: [
          {
            name: 'curl',
            image: 'curlimages/curl:8.11.1',
            command: ['sleep', 'infinity'],
            resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
            securityContext: confined,
          },
        ],
      },
    },
  },
})
