import { accountRoutes } from './account.ts'
import { blockRoutes } from './block.ts'
import type { Cloud } from './cloud.ts'
import { databaseRoutes } from './databases.ts'
import { gatewayIpRoutes } from './gateway-ips.ts'
import { gatewayNetworkRoutes } from './gateway-networks.ts'
import { gatewayRoutes } from './gateways.ts'
import { iamRoutes } from './iam.ts'
import { instanceIpRoutes } from './instance-ips.ts'
import { ipamRoutes } from './ipam.ts'
import { accessRoutes } from './k8s-access.ts'
import { clusterRoutes } from './k8s-clusters.ts'
import { nodeRoutes } from './k8s-nodes.ts'
import { poolRoutes } from './k8s-pools.ts'
import { k8sVersionRoutes } from './k8s-versions.ts'
import { marketplaceRoutes } from './marketplace.ts'
import { offerRoutes } from './offers.ts'
import { privateNicRoutes } from './private-nics.ts'
import type { Route } from './router.ts'
import { securityGroupRuleRoutes } from './security-group-rules.ts'
import { securityGroupRoutes } from './security-groups.ts'
import { serverActionRoutes } from './server-actions.ts'
import { serverRoutes } from './servers.ts'
import { userDataRoutes } from './user-data.ts'
import { vpcRoutes } from './vpc.ts'
import { vpcRouteRoutes } from './vpc-routes.ts'

/** Every service's routes over one state; its transitions are defined on the way. */
export const routesOf = (cloud: Cloud): Route[] => [
  ...vpcRoutes(cloud),
  ...vpcRouteRoutes(cloud),
  ...ipamRoutes(cloud),
  ...gatewayIpRoutes(cloud),
  ...gatewayRoutes(cloud),
  ...gatewayNetworkRoutes(cloud),
  ...instanceIpRoutes(cloud),
  ...securityGroupRoutes(cloud),
  ...securityGroupRuleRoutes(cloud),
  ...serverRoutes(cloud),
  ...serverActionRoutes(cloud),
  ...privateNicRoutes(cloud),
  ...userDataRoutes(cloud),
  ...blockRoutes(cloud),
  ...marketplaceRoutes(cloud),
  ...offerRoutes(),
  ...k8sVersionRoutes(),
  ...clusterRoutes(cloud),
  ...poolRoutes(cloud),
  ...nodeRoutes(cloud),
  ...accessRoutes(cloud),
  ...databaseRoutes(cloud),
  ...iamRoutes(cloud),
  ...accountRoutes(cloud),
]
