import type { Desired, Ref } from '../src/engine/desired.ts'
import { healthName } from '../src/hosts/squid-conf.ts'
import { type Context, isGateway, type Tenant } from '../src/inventory/context.ts'
import { admissionPolicy } from '../src/rollout/admission-policy.ts'
import { apiEndpoints } from '../src/rollout/api-endpoints.ts'
import { clientSecret } from '../src/rollout/client-secret.ts'
import { endpointSlice } from '../src/rollout/endpoint-slice.ts'
import { GATEWAY_NAMESPACE, gatewayAddress, gatewayLabels } from '../src/rollout/gateway-pod/manifests.ts'
import { labelPolicy } from '../src/rollout/guard/label-policy.ts'
import { type Admission, guardPolicy } from '../src/rollout/guard/policy.ts'
import type { Ground } from '../src/rollout/guard/rule.ts'
import type { KubeObject } from '../src/rollout/kube/object.ts'
import { manifest } from '../src/rollout/manifest.ts'
import { EGRESS_LABEL, egressPolicy, type ProxyPeer, proxyConfigMap, proxyFiles } from '../src/rollout/manifests.ts'
import { noProxy, proxyEnv } from '../src/rollout/no-proxy.ts'
import { phases } from '../src/rollout/phases.ts'
import { healthLoop, proxyService, proxySlice, SERVICE } from '../src/rollout/proxy-service.ts'

import type { WorkloadRef } from '../src/rollout/workload.ts'
import { egressName, workloadEgress } from '../src/rollout/workload-egress.ts'
import { opened, shrunk } from './allowlist.ts'
import type { configurePlaybook } from './configure.ts'
import { dnsAddress } from './dns-address.ts'
import { gatewayPod } from './gateway-pod.ts'

export type Moved = { tenant: Tenant; workload: WorkloadRef }

/** One phase: what must be true in it, and the workloads whose pods its gates look from. */
export type RolloutPhase = {
  name: string
  desired: Desired[]
  moves: Moved[]
  /** Of the last phase: who has to get in without what it takes out. */
  proves?: Moved[]
}

/** What the proxies of a tenant are known by, where they ask for certificates. */
type Authorities = ReturnType<typeof configurePlaybook>['authorities']

/**
 * Gateway without traffic, one canary per tenant, then batches, then what a partner's list can do without. Each phase
 * comes after the one before.
 */
export const rolloutPlaybook = (
  context: Context,
  kubeconfig: Ref | string,
  after: Desired[],
  authorities: Authorities = new Map(),
): RolloutPhase[] => {
  const done: RolloutPhase[] = []
  const api = apiEndpoints(context.cluster.name, { kubeconfig }, { after })
  const doors = new Map(context.tenants.map(it => [it, opened(context, it, kubeconfig, after)]))
  const { maxTenants } = context.rollout ?? {}
  const order = phases(
    inOrder(context).map(it => ({ tenant: it.tenant, ...movesOf(it) })),
    { maxTenants },
  )
  for (const { name, workloads } of order) {
    const earlier = done.at(-1)?.desired ?? after
    const moves = workloads.map(({ tenant, kind, name }) => ({
      tenant: tenantOf(context, tenant),
      workload: { kind, name },
    }))
    const desired =
      name === 'gateway'
        ? [
            api,
            ...context.tenants.flatMap(it => [
              ...standing(context, it, { kubeconfig, api }, earlier, authorities),
              ...doors.get(it)!,
            ]),
          ]
        : moves.map(it => moved(context, it, kubeconfig, [...earlier, ...doors.get(it.tenant)!]))
    done.push({ name, moves, desired })
  }
  const closing = context.tenants.filter(it => it.rollout.externalAllowlist?.prove !== undefined)
  if (closing.length === 0) return done
  // After each of them, not only the last: whatever of these a run took back, an old entry is in again before that.
  const all = done.flatMap(it => it.desired)
  const proves = done.flatMap(it => it.moves).filter(it => closing.includes(it.tenant))
  const desired = closing.flatMap(it => shrunk(context, it, kubeconfig, all))
  return [...done, { name: 'allowlist', desired, moves: [], proves }]
}

/** What stands before any workload uses it. */
const standing = (
  context: Context,
  tenant: Tenant,
  { kubeconfig, api }: { kubeconfig: Ref | string; api: ReturnType<typeof apiEndpoints> },
  after: Desired[],
  authorities: Authorities,
): Desired[] => {
  const { namespace } = tenant
  const { podCidr: pods, serviceCidr: services } = context.cluster
  const dnsIp = dnsAddress(services)
  const policy = egressPolicy({ namespace }, proxiesOf(tenant), { pods, services, dnsIp, api: api.out.rule })
  const certificates = tenant.egress.clientCertificates
  const knownBy = certificates && authorities.get(tenant.tenant)
  const settings = proxyConfigMap({ namespace }, proxyOf(tenant), knownBy?.out.pem)
  const make = (object: KubeObject, after: Desired[]) =>
    manifest(`${object.kind} ${namespace}/${object.metadata.name}`, { kubeconfig, object }, { after })
  const secret = certificates && {
    name: certificates.secret,
    seen: clientSecret(
      `${namespace}/${certificates.secret}`,
      { kubeconfig, namespace, name: certificates.secret },
      { after },
    ),
  }
  const guards = policiesOf(context, tenant).map(it =>
    admissionPolicy(it.policy.metadata.name, { kubeconfig, namespace, ...it }, { after }),
  )
  const always = [...(secret ? [secret.seen] : []), ...[settings, policy].map(it => make(it, after)), ...guards]
  if (isGateway(tenant)) return [...always, ...gatewayPod(context, tenant, kubeconfig, after)]
  if (tenant.egress.through === 'address') return always
  const { port } = proxyOf(tenant)
  const addresses = tenant.egress.proxies.map(it => it.privateIp)
  const object = proxySlice(namespace, addresses, port)
  const slice = endpointSlice(`${namespace}/${SERVICE}`, { kubeconfig, object }, { after })
  const loop = { tenant: tenant.tenant, namespace, pool: tenant.pool.name, addresses, port }
  const files = certificates && proxyFiles(certificates.secret)
  const { rights, deployment } = healthLoop({ ...loop, ...(files && { files }), ask: `http://${healthName}/` })
  const service = [proxyService(namespace, port), ...rights].map(it => make(it, after))
  // The loop is ready when it has changed the slice once.
  return [...always, ...service, slice, make(deployment, [...after, ...always, ...service, slice])]
}

/** What the cluster itself refuses in a tenant's namespace. */
const policiesOf = (context: Context, tenant: Tenant): Admission[] =>
  context.cluster.admissionPolicies === false
    ? []
    : [guardPolicy(tenant.namespace, groundOf(context, [tenant])), labelPolicy(tenant.namespace)]

const moved = (context: Context, { tenant, workload }: Moved, kubeconfig: Ref | string, after: Desired[]): Desired => {
  const { namespace } = tenant
  const { env, files } = wayOf(context, tenant)
  return workloadEgress(
    egressName(namespace, workload),
    { kubeconfig, namespace, ...workload, label: EGRESS_LABEL, env, containers: 'all', ...(files && { files }) },
    { after },
  )
}

/** What a pod of the tenant finds the proxy by. */
export const wayOf = (context: Context, tenant: Tenant) => {
  const { clientCertificates } = tenant.egress
  return {
    env: proxyEnv(proxyOf(tenant), withoutProxy(context)),
    ...(clientCertificates && { files: proxyFiles(clientCertificates.secret) }),
  }
}

const movesOf = ({ workloads, rollout }: Tenant) => ({
  canary: rollout.canary,
  workloads: workloads.map(({ kind, name }) => ({ kind, name })),
  batches: rollout.then.batches.map(String),
  maxUnverified: rollout.then.maxUnverified,
})

/** As the context orders them; those it does not name come after. */
const inOrder = ({ tenants, rollout }: Context): Tenant[] => {
  const order = rollout?.order ?? []
  const place = ({ tenant }: Tenant) => (order.includes(tenant) ? order.indexOf(tenant) : order.length)
  return [...tenants].sort((a, b) => place(a) - place(b))
}

const tenantOf = ({ tenants }: Context, name: string): Tenant => tenants.find(it => it.tenant === name)!

/**
 * As pods reach it. The name of a Service in their own namespace has no dot: the first name that a pod's resolver tries
 * is the right one.
 */
export const proxyOf = ({ tenant, egress }: Tenant) => {
  const { gateway, proxies, through, clientCertificates } = egress
  if (gateway) return { address: gatewayAddress(tenant), port: gateway.port }
  const [first] = proxies
  return {
    address: through === 'service' ? SERVICE : first!.privateIp,
    port: first!.port,
    ...(clientCertificates && { certificates: true }),
  }
}

/** Each alone: what a NetworkPolicy sees, since a Service's address is translated before it. */
const proxiesOf = ({ tenant, egress }: Tenant): ProxyPeer[] => {
  const hosts = egress.proxies.map(it => ({ address: it.privateIp, port: it.port }))
  if (!egress.gateway) return hosts
  const pods = {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': GATEWAY_NAMESPACE } },
    podSelector: { matchLabels: gatewayLabels(tenant) },
  }
  return [{ pods, port: egress.gateway.port }]
}

/** What objects of these tenants are judged against. */
export const groundOf = ({ cluster }: Context, tenants: readonly Tenant[]): Required<Ground> => {
  const addresses = tenants.flatMap(it => [proxyOf(it).address, ...it.egress.proxies.map(({ privateIp }) => privateIp)])
  return { inside: [cluster.podCidr, cluster.serviceCidr], proxies: [...new Set([SERVICE, ...addresses])] }
}

const withoutProxy = ({ cluster, network }: Context) =>
  noProxy({ services: cluster.serviceCidr, pods: cluster.podCidr, private: [network.privateNetwork.cidr] })
