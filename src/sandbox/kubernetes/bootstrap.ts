import { apiEndpoint } from '../ports.ts'
import { firstRoles } from './admission/rbac.ts'
import type { Api } from './api/api.ts'
import { serviceLabel } from './controllers/endpoints.ts'
import type { Obj } from './objects/object.ts'
import { kind } from './objects/resources.ts'

/** What every cluster has from the start. */
export const bootstrap = (api: Api, { apiIp, dnsIp }: { apiIp: string; dnsIp: string }) => {
  const make = (name: string, namespace: string | undefined, body: object) =>
    api.create(kind(name), namespace, body as Obj, { manager: 'kube-apiserver', internal: true })
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease'])
    make('Namespace', undefined, { metadata: { name } })
  makeRoles(make)
  const labels = { component: 'apiserver', provider: 'kubernetes' }
  const { ip, port } = apiEndpoint
  const https = { name: 'https', port: 443, targetPort: port, protocol: 'TCP' }
  make('Service', 'default', { metadata: { name: 'kubernetes', labels }, spec: { clusterIP: apiIp, ports: [https] } })
  const endpoint = { name: 'https', port, protocol: 'TCP' }
  const subsets = [{ addresses: [{ ip }], ports: [endpoint] }]
  make('Endpoints', 'default', {
    metadata: { name: 'kubernetes', labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets,
  })
  make('EndpointSlice', 'default', {
    metadata: { name: 'kubernetes', labels: { [serviceLabel]: 'kubernetes' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [ip], conditions: { ready: true } }],
    ports: [endpoint],
  })
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ]
  const dns = {
    metadata: { name: 'kube-dns', labels: { 'k8s-app': 'kube-dns' } },
    spec: { clusterIP: dnsIp, selector: { 'k8s-app': 'kube-dns' }, ports },
  }
  make('Service', 'kube-system', dns)
}

type Make = (name: string, namespace: string | undefined, body: object) => Obj

/** Roles that come with Kubernetes carry this label, so that lists of one's own can leave them out. */
const makeRoles = (make: Make) => {
  const labels = { 'kubernetes.io/bootstrapping': 'rbac-defaults' }
  for (const { name, rules, to } of firstRoles) {
    make('ClusterRole', undefined, { metadata: { name, labels }, rules })
    if (!to) continue
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name }
    const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: to }]
    make('ClusterRoleBinding', undefined, { metadata: { name, labels }, roleRef, subjects })
  }
}
