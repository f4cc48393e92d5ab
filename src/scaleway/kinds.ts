import type { AnyKind } from '../engine/kind.ts'
import { clusterKind } from './cluster.ts'
import { clusterAclKind } from './cluster-acl.ts'
import { existingClusterKind } from './existing-cluster.ts'
import { existingGatewayKind, existingLegKind } from './existing-gateway.ts'
import { existingNetworkKind, existingVpcKind } from './existing-network.ts'
import { flexibleIpKind } from './flexible-ip.ts'
import { gatewayKind } from './gateway.ts'
import { gatewayIpKind } from './gateway-ip.ts'
import { gatewayNetworkKind } from './gateway-network.ts'
import { ipamAddressKind } from './ipam-address.ts'
import { kubeconfigKind } from './kubeconfig.ts'
import { poolKind } from './pool.ts'
import { privateNetworkKind } from './private-network.ts'
import { securityGroupKind } from './security-group.ts'
import { serverKind } from './server.ts'
import { sshKeyKind } from './ssh-key.ts'
import { vpcKind } from './vpc.ts'

/** Every Kind of this layer: a journal names them, and another process finds them here. */
export const scalewayKinds: AnyKind[] = [
  vpcKind,
  privateNetworkKind,
  gatewayIpKind,
  gatewayKind,
  gatewayNetworkKind,
  ipamAddressKind,
  sshKeyKind,
  securityGroupKind,
  flexibleIpKind,
  serverKind,
  clusterKind,
  clusterAclKind,
  poolKind,
  kubeconfigKind,
  existingVpcKind,
  existingNetworkKind,
  existingGatewayKind,
  existingLegKind,
  existingClusterKind,
]
