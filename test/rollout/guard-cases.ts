import type { KubeObject } from '../../src/rollout/kube/object.ts'
import { noProxy, proxyEnv } from '../../src/rollout/no-proxy.ts'

export const ground = { inside: ['100.64.0.0/15', '10.32.0.0/20'], proxies: ['172.16.28.8', 'egress-proxy'] }
const container = { name: 'app', image: 'app:1' }
export const ours = { 'app.kubernetes.io/managed-by': 'kapsule-egress' }

/** `strict`: the API server's own policy, which knows no ranges, refuses it all the same. `elsewhere`: it is not asked. */
export type Case = { when: string; object: KubeObject; says: string[]; strict?: true; elsewhere?: true }

type Loose = Record<string, unknown>
type Parts = { spec?: Loose; kind?: string; labels?: Loose; own?: Loose; namespace?: string; of?: Loose }

/** A workload of a tenant; `of`: what its one container has besides. */
export const workload = ({
  spec = {},
  kind = 'Deployment',
  labels = {},
  own = {},
  namespace = 'shop',
  of = {},
}: Parts) => {
  const template = { metadata: { labels }, spec: { containers: [{ ...container, ...of }], ...spec } }
  const metadata = { name: 'api', namespace, labels: own }
  if (kind === 'Pod') return { apiVersion: 'v1', kind, ...template, metadata: { ...metadata, labels } } as KubeObject
  const placed = kind === 'CronJob' ? { jobTemplate: { spec: { template } } } : { template }
  return { apiVersion: 'apps/v1', kind, metadata, spec: placed } as KubeObject
}
/** What an API server wants of one besides. */
export const whole = (object: KubeObject): KubeObject => {
  const spec = object.spec as Record<string, unknown>
  const api = { CronJob: 'batch/v1', Job: 'batch/v1' }[object.kind] ?? object.apiVersion
  if (object.kind === 'CronJob') {
    const { template } = (spec.jobTemplate as { spec: { template: { spec: object } } }).spec
    const once = { spec: { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } } }
    return { ...object, apiVersion: api, spec: { ...spec, schedule: '0 0 1 1 *', jobTemplate: once } } as never
  }
  if (object.kind === 'Pod' || object.kind === 'ConfigMap') return object
  const { template } = spec as { template: { metadata: { labels: object } } }
  const labels = { ...template.metadata.labels, app: 'api' }
  const made = { ...template, metadata: { labels } }
  return { ...object, apiVersion: api, spec: { selector: { matchLabels: { app: 'api' } }, template: made } } as never
}

export const env = (values: Record<string, string>) => Object.entries(values).map(([name, value]) => ({ name, value }))
const capable = (...add: string[]) => ({ of: { securityContext: { capabilities: { add } } } })
export const moved = { egress: 'external' }
const proxy = 'http://172.16.28.8:3128'
const hostPath = (readOnly?: boolean) => ({
  spec: { volumes: [{ name: 'node', hostPath: { path: '/etc' } }] },
  of: { volumeMounts: [{ name: 'node', mountPath: '/node', ...(readOnly !== undefined && { readOnly }) }] },
})
const map = (text: string) => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'squid', namespace: 'shop' } },
  data: { 'squid.conf': text },
})
export const reach = noProxy({ services: '10.32.0.0/20', pods: '100.64.0.0/15', private: ['172.16.28.0/22'] })

export const cases: Case[] = [
  { when: 'an ordinary workload', object: workload({}), says: [] },
  {
    when: 'one that moved',
    object: workload({ labels: moved, of: { env: proxyEnv({ address: '172.16.28.8', port: 3128 }, reach) } }),
    says: [],
  },
  {
    when: 'host network, moved',
    object: workload({ spec: { hostNetwork: true }, labels: moved }),
    says: ['hostNetwork is true'],
  },
  {
    when: 'a pod of it',
    object: workload({ kind: 'Pod', spec: { hostNetwork: true }, labels: moved }),
    says: ['hostNetwork is true'],
  },
  {
    when: 'a CronJob of it',
    object: workload({ kind: 'CronJob', spec: { hostNetwork: true }, labels: moved }),
    says: ['hostNetwork is true'],
  },
  {
    when: 'host network, ours',
    object: workload({ spec: { hostNetwork: true }, own: ours }),
    says: ['hostNetwork is true'],
  },
  {
    when: 'host network in our own namespace',
    elsewhere: true,
    object: workload({ spec: { hostNetwork: true }, namespace: 'egress-system' }),
    says: ['hostNetwork is true'],
  },
  { when: 'host network that nobody sends anything by', object: workload({ spec: { hostNetwork: true } }), says: [] },
  { when: 'a DaemonSet of a tenant', object: workload({ kind: 'DaemonSet', labels: moved }), says: [] },
  { when: 'a DaemonSet of ours', object: workload({ kind: 'DaemonSet', own: ours }), says: ['every node at once'] },
  {
    when: 'a DaemonSet in our own namespace',
    elsewhere: true,
    object: workload({ kind: 'DaemonSet', namespace: 'egress-system' }),
    says: ['every node at once'],
  },
  {
    when: 'privileged',
    object: workload({ of: { securityContext: { privileged: true } } }),
    says: ['container app is privileged'],
  },
  {
    when: 'privileged where few look',
    object: workload({
      spec: { initContainers: [{ name: 'set-up', image: 'app:1', securityContext: { privileged: true } }] },
    }),
    says: ['container set-up is privileged'],
  },
  {
    when: 'a debugger that was put into a pod',
    object: workload({ kind: 'Pod', spec: { ephemeralContainers: [{ name: 'debug', ...capable('NET_ADMIN').of }] } }),
    says: ['container debug adds the capability NET_ADMIN'],
  },
  { when: 'every capability', object: workload(capable('ALL')), says: ['adds the capability ALL'] },
  { when: 'a spelling that runtimes take too', object: workload(capable('CAP_NET_ADMIN')), says: ['CAP_NET_ADMIN'] },
  { when: 'harmless capabilities', object: workload(capable('NET_BIND_SERVICE', 'CHOWN')), says: [] },
  { when: 'a path of the node that is written', object: workload(hostPath()), says: ['may write to /etc of its node'] },
  { when: 'the same, said', object: workload(hostPath(false)), says: ['may write to /etc of its node'] },
  { when: 'a path of the node that is read', object: workload(hostPath(true)), says: [] },
  {
    when: 'a proxy without NO_PROXY',
    object: workload({ of: { env: env({ HTTPS_PROXY: proxy }) } }),
    says: ['asks the proxy for .svc, .cluster.local, 100.64.0.0/15, 10.32.0.0/20'],
  },
  {
    when: 'a proxy by its Service, one range left out',
    object: workload({
      of: { env: env({ http_proxy: 'http://egress-proxy:3128', NO_PROXY: 'svc,cluster.local,100.64.0.0/15' }) },
    }),
    says: ['asks the proxy for 10.32.0.0/20'],
  },
  {
    when: 'wider ranges, other spellings',
    strict: true,
    object: workload({
      of: { env: env({ http_proxy: proxy, no_proxy: '*.svc, cluster.local ,10.0.0.0/8,100.0.0.0/8' }) },
    }),
    says: [],
  },
  {
    when: 'no proxy for anybody',
    object: workload({ of: { env: env({ http_proxy: proxy, no_proxy: '*' }) } }),
    says: [],
  },
  {
    when: 'two spellings that differ',
    object: workload({ of: { env: env({ http_proxy: proxy, NO_PROXY: reach.join(','), no_proxy: 'localhost' }) } }),
    says: ['asks the proxy for .svc'],
  },
  {
    when: 'a proxy of somebody else',
    object: workload({ of: { env: env({ http_proxy: 'http://other:8080' }) } }),
    says: [],
  },
  {
    when: 'NO_PROXY from elsewhere, which is not seen',
    object: workload({
      of: {
        env: [
          ...env({ http_proxy: proxy }),
          { name: 'NO_PROXY', valueFrom: { configMapKeyRef: { name: 'x', key: 'y' } } },
        ],
      },
    }),
    says: [],
  },
  {
    when: 'an open proxy',
    object: map('http_port 3128\n  http_access  allow all # for now\n'),
    says: ['squid.conf says http_access allow all'],
  },
  { when: 'an open proxy in one line', object: map('http_access allow all'), says: ['http_access allow all'] },
  {
    when: 'a closed one',
    object: map('# http_access allow all\nhttp_access allow allowed\nhttp_access deny all\n'),
    says: [],
  },
  {
    when: 'all of it at once',
    object: workload({
      spec: { hostNetwork: true },
      own: ours,
      kind: 'DaemonSet',
      of: { securityContext: { privileged: true } },
    }),
    says: ['hostNetwork is true', 'every node at once', 'is privileged'],
  },
]
