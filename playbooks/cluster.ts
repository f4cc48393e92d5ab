import type { Desired, Ref } from '../src/engine/desired.ts'
import { type Context, isGateway, type Tenant } from '../src/inventory/context.ts'
import { GATEWAY_NAMESPACE } from '../src/rollout/gateway-pod/manifests.ts'
import { manifest } from '../src/rollout/manifest.ts'
import { DEMO_MANAGER, demoWorkload, namespace } from '../src/rollout/manifests.ts'
import { cluster } from '../src/scaleway/cluster.ts'
import { clusterAcl } from '../src/scaleway/cluster-acl.ts'
import { existingCluster } from '../src/scaleway/existing-cluster.ts'

import { kubeconfig } from '../src/scaleway/kubeconfig.ts'
import { pool } from '../src/scaleway/pool.ts'
import type { gatewayPlaybook } from './gateway.ts'

/** The cluster with a pool per tenant, and in it the tenants' namespaces and demo workloads. */
export const clusterPlaybook = (
  context: Context,
  kubeconfigPath: string,
  { privateNet, attached, address }: ReturnType<typeof gatewayPlaybook>,
) => {
  const { cloud, path, pools, id } = context.cluster.kubeconfig
    ? { cloud: [], path: context.cluster.kubeconfig, pools: [], id: `cluster/${context.cluster.name}` }
    : kapsule(context, kubeconfigPath, privateNet, attached, address)
  const tenants = context.tenants.map(it => tenantObjects(it, path, pools))
  return { desired: [...cloud, ...gatewaySpace(context, path, pools), ...tenants.flat()], cloud, id, kubeconfig: path }
}

/** Where the pods live that are somebody's way out. */
const gatewaySpace = ({ tenants }: Context, path: Ref | string, pools: Desired[]): Desired[] => {
  const object = namespace(GATEWAY_NAMESPACE, 'the ways out of the cluster')
  const made = manifest(`namespace ${GATEWAY_NAMESPACE}`, { kubeconfig: path, object }, { after: pools })
  return tenants.some(isGateway) ? [made] : []
}

const kapsule = (
  { scaleway, cluster: wanted, tenants, neighbours = [] }: Context,
  path: string,
  privateNet: ReturnType<typeof gatewayPlaybook>['privateNet'],
  attached: Desired,
  address: Ref,
) => {
  const privateNetworkId = privateNet.out.id
  const shared = wanted.existing
    ? existingCluster(wanted.name, { existing: wanted.existing, place: 'cluster', privateNetworkId })
    : cluster(wanted.name, {
        name: wanted.name,
        version: wanted.version!,
        cni: wanted.cni,
        privateNetworkId,
        podCidr: wanted.podCidr,
        serviceCidr: wanted.serviceCidr,
      })
  // Nodes without public addresses come up only when the network has its way out.
  const { acl } = wanted
  const guards = acl ? [clusterAcl(wanted.name, { clusterId: shared.out.id, allow: acl, nodesFrom: address })] : []
  const node = (wishes: Tenant['pool'], owner?: string) => {
    const { name, type, size, zone = scaleway.zone, autoscaling, autohealing, rootVolumeGb } = wishes
    return pool(
      name,
      {
        name,
        clusterId: shared.out.id,
        type,
        size,
        zone,
        ...(autoscaling && { autoscaling }),
        ...(autohealing !== undefined && { autohealing }),
        ...(rootVolumeGb && { rootVolumeGb }),
        labels: { 'node-pool': name },
        taints: owner ? [{ key: `node-role.kubernetes.io/${owner}`, value: 'dedicated', effect: 'NoSchedule' }] : [],
        publicIpDisabled: true,
      },
      // A cluster that is being changed takes no pools.
      { after: [attached, ...guards] },
    )
  }
  const pools = [
    ...wanted.pools.map(it => node(it, it.tenant)),
    ...[...tenants, ...neighbours].map(it => node(it.pool, it.tenant)),
  ]
  const access = kubeconfig(wanted.name, { clusterId: shared.out.id, path }, { after: pools })
  return {
    cloud: [shared, ...guards, ...pools, access] as Desired[],
    id: shared.id,
    path: access.out.path as Ref | string,
    pools,
  }
}

/** The namespace, and the workloads that the inventory asks us to make for a demonstration. */
const tenantObjects = (tenant: Tenant, path: Ref | string, pools: Desired[]): Desired[] => {
  const space = manifest(`namespace ${tenant.namespace}`, { kubeconfig: path, object: namespace(tenant.namespace) })
  const demos = tenant.workloads.flatMap(({ name, demo }) =>
    demo
      ? [
          manifest(
            `demo ${tenant.namespace}/${name}`,
            {
              kubeconfig: path,
              manager: DEMO_MANAGER,
              object: demoWorkload({
                name,
                namespace: tenant.namespace,
                tenant: tenant.tenant,
                pool: tenant.pool.name,
                replicas: demo.replicas,
              }),
            },
            { after: [space, ...pools] },
          ),
        ]
      : [],
  )
  return [space, ...demos]
}
