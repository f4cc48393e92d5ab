import { Address4 } from 'ip-address'
import type { Desired, Ref } from '../src/engine/desired.ts'
import type { Context, Tenant } from '../src/inventory/context.ts'
import { manifest } from '../src/rollout/manifest.ts'
import { EGRESS_LABEL, egressPolicy, proxyConfigMap } from '../src/rollout/manifests.ts'
import { noProxy, proxyEnv } from '../src/rollout/no-proxy.ts'
import { phases } from '../src/rollout/phases.ts'
import { workloadEgress } from '../src/rollout/workload-egress.ts'

export type Moved = { tenant: Tenant; workload: { kind: 'Deployment'; name: string } }

/** One phase: what must be true in it, and the workloads whose pods its gates look from. */
export type RolloutPhase = { name: string; desired: Desired[]; moves: Moved[] }

/** Gateway without traffic, one canary per tenant, then batches. Each phase comes after the one before. */
export const rolloutPlaybook = (context: Context, kubeconfig: Ref | string, after: Desired[]): RolloutPhase[] => {
  const done: RolloutPhase[] = []
  const order = phases(context.tenants.map(it => ({ tenant: it.tenant, ...movesOf(it) })))
  for (const { name, workloads } of order) {
    const earlier = done.at(-1)?.desired ?? after
    const moves = workloads.map(({ tenant, kind, name }) => ({
      tenant: tenantOf(context, tenant),
      workload: { kind, name },
    }))
    const desired =
      name === 'gateway'
        ? context.tenants.flatMap(it => standing(context, it, kubeconfig, earlier))
        : moves.map(it => moved(context, it, kubeconfig, earlier))
    done.push({ name, moves, desired })
  }
  return done
}

/** What stands before any workload uses it. */
const standing = (context: Context, tenant: Tenant, kubeconfig: Ref | string, after: Desired[]): Desired[] => {
  const { namespace } = tenant
  const { podCidr: pods, serviceCidr: services } = context.cluster
  const policy = egressPolicy({ namespace }, proxyOf(tenant), { pods, services, dnsIp: dnsAddress(services) })
  const settings = proxyConfigMap({ namespace }, proxyOf(tenant))
  return [settings, policy].map(object =>
    manifest(`${object.kind} ${namespace}/${object.metadata.name}`, { kubeconfig, object }, { after }),
  )
}

const moved = (context: Context, { tenant, workload }: Moved, kubeconfig: Ref | string, after: Desired[]): Desired => {
  const { namespace } = tenant
  const env = proxyEnv(proxyOf(tenant), withoutProxy(context))
  return workloadEgress(
    `${namespace}/${workload.name}`,
    { kubeconfig, namespace, ...workload, label: EGRESS_LABEL, env, containers: 'all' },
    { after },
  )
}

const movesOf = ({ workloads, rollout }: Tenant) => ({
  canary: rollout.canary,
  workloads: workloads.map(({ kind, name }) => ({ kind, name })),
  batches: rollout.then.batches,
})

const tenantOf = ({ tenants }: Context, name: string): Tenant => tenants.find(it => it.tenant === name)!

export const proxyOf = ({ egress }: Tenant) => ({ address: egress.proxy.privateIp, port: egress.proxy.port })

const withoutProxy = ({ cluster, network }: Context) =>
  noProxy({ services: cluster.serviceCidr, pods: cluster.podCidr, private: [network.privateNetwork.cidr] })

/** Kapsule's cluster DNS is the tenth address of the service range. */
const dnsAddress = (serviceCidr: string): string =>
  Address4.fromBigInt(new Address4(serviceCidr).startAddress().bigInt() + 10n).correctForm()
