import type { Desired, Ref } from '../src/engine/desired.ts'
import type { Context, Tenant } from '../src/inventory/context.ts'
import { manifest } from '../src/rollout/manifest.ts'
import { DEMO_MANAGER, demoWorkload, namespace } from '../src/rollout/manifests.ts'
import { cluster } from '../src/scaleway/cluster.ts'
import { existingCluster } from '../src/scaleway/existing-cluster.ts'
import { kubeconfig } from '../src/scaleway/kubeconfig.ts'
import { pool } from '../src/scaleway/pool.ts'
import type { gatewayPlaybook } from './gateway.ts'

/** The cluster with a pool per tenant, and in it the tenants' namespaces and demo workloads. */
export const clusterPlaybook = (
  context: Context,
  kubeconfigPath: string,
  { privateNet, attached }: ReturnType<typeof gatewayPlaybook>,
) => {
  const { cloud, path, pools, id } = context.cluster.kubeconfig
    ? { cloud: [], path: context.cluster.kubeconfig, pools: [], id: `cluster/${context.cluster.name}` }
    : kapsule(context, kubeconfigPath, privateNet, attached)
  const tenants = context.tenants.map(it => tenantObjects(it, path, pools))
  return { desired: [...cloud, ...tenants.flat()], cloud, id, kubeconfig: path }
}

const kapsule = (
  { scaleway, cluster: wanted, tenants }: Context,
  path: string,
  privateNet: ReturnType<typeof gatewayPlaybook>['privateNet'],
  attached: Desired,
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
  const node = ({ name, type, size, zone = scaleway.zone }: Tenant['pool'], owner?: string) =>
    pool(
      name,
      {
        name,
        clusterId: shared.out.id,
        type,
        size,
        zone,
        labels: { 'node-pool': name },
        taints: owner ? [{ key: `node-role.kubernetes.io/${owner}`, value: 'dedicated', effect: 'NoSchedule' }] : [],
        publicIpDisabled: true,
      },
      { after: [attached] },
    )
  const pools = [...wanted.pools.map(it => node(it, it.tenant)), ...tenants.map(it => node(it.pool, it.tenant))]
  const access = kubeconfig(wanted.name, { clusterId: shared.out.id, path }, { after: pools })
  return {
    cloud: [shared, ...pools, access] as Desired[],
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
