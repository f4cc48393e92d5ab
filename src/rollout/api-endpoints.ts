import { word } from '../engine/desired.ts'
import type { Json } from '../engine/json.ts'
import type { Kind } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'
import type { Clients } from './manifest.ts'

export type Want = { kubeconfig: string }
/** `rule`: of an egress policy, to where the API server answers. */
export type Live = { rule: Json }

type Service = { spec: { clusterIP: string; ports: { port: number }[] } }
type Slice = { addressType: string; endpoints?: { addresses: string[] }[]; ports?: { port?: number }[] }

/**
 * Where the API server is behind its Service: outside of the ranges of pods and Services, and policies are asked when
 * the Service's address has been translated already. It is looked at, never written.
 */
export const apiEndpointsKind: Kind<Want, Live, Clients> = {
  name: 'api-endpoints',
  looksThroughParents: true,
  looksOnly: true,
  async read({ kubeconfig }, { kube }) {
    const cluster = kube(kubeconfig)
    const at = { namespace: 'default', name: 'kubernetes' }
    const service = await cluster.get<Service>({ apiVersion: 'v1', kind: 'Service', ...at })
    if (!service) return null
    const { items } = await cluster.list<Slice>({
      ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', namespace: at.namespace },
      labelSelector: `kubernetes.io/service-name=${at.name}`,
    })
    return { rule: ruleTo(service, items) }
  },
  diff: (_want, live) => (live ? null : { action: 'create', summary: 'needs the Service default/kubernetes' }),
  async apply(want, clients, _live, report) {
    const live = await apiEndpointsKind.read(want, clients, report)
    if (live) return live
    throw new Problem('Service default/kubernetes: not there', {
      why: 'nobody can tell where pods reach the API server, and a policy that leaves it out cuts them off',
      next: 'look at the cluster: its API server makes this Service by itself',
    })
  },
  async undo() {},
}

/** `apiEndpoints('shared', { kubeconfig })` */
export const apiEndpoints = word(apiEndpointsKind)

/** The Service's own address is in it, too: a rule without addresses would let pods out to everywhere. */
const ruleTo = ({ spec }: Service, slices: Slice[]): Json => {
  const addresses = [spec.clusterIP, ...slices.flatMap(it => (it.endpoints ?? []).flatMap(its => its.addresses))]
  const ports = [...spec.ports, ...slices.flatMap(it => it.ports ?? [])].flatMap(({ port }) => (port ? [port] : []))
  return {
    to: [...new Set(addresses)].sort().map(it => ({ ipBlock: { cidr: `${it}/${it.includes(':') ? 128 : 32}` } })),
    ports: [...new Set(ports)].sort((a, b) => a - b).map(port => ({ protocol: 'TCP', port })),
  }
}
