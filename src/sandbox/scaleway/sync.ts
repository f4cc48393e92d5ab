import { byId, type Cloud } from './cloud.ts'
import { gatewaySpec, nodeSpec, serverSpec } from './specs.ts'

/** Brings the machine of a gateway to its state. To be queued by gateway, so that the last word wins. */
export const bringGateway = async (cloud: Cloud, id: string): Promise<void> => {
  const gateway = cloud.state.gateways[id]
  if (gateway && gateway.status !== 'deleting') await cloud.machines.gatewayUp(gatewaySpec(cloud, gateway))
}

/** A running server follows changes of its addresses, routes and security group; one that is off does at boot. */
export const syncServer = (cloud: Cloud, id: string) =>
  cloud.transitions.background(
    'change',
    id,
    () => bringServer(cloud, id),
    () => lockServer(cloud, id, 'change failed'),
  )

export const bringServer = async (cloud: Cloud, id: string): Promise<void> => {
  const server = cloud.state.servers[id]
  if (server && server.node_id === null && server.state === 'running')
    await cloud.machines.serverUp(serverSpec(cloud, server))
}

export const lockServer = ({ state }: Cloud, id: string, detail: string) => {
  const server = state.servers[id]
  if (server) Object.assign(server, { state: 'locked', state_detail: detail })
}

/** The way out of a network changed: everything in it learns its default route anew. */
export const syncNetwork = (cloud: Cloud, networkId: string) => {
  const { state } = cloud
  for (const nic of byId(state.private_nics)) {
    if (nic.private_network_id !== networkId) continue
    const node = Object.values(state.nodes).find(it => it.server_id === nic.server_id)
    if (!node) syncServer(cloud, nic.server_id)
    else if (node.status === 'ready') syncNode(cloud, node.id)
  }
}

const syncNode = (cloud: Cloud, id: string) =>
  cloud.transitions.background(
    'change',
    id,
    async () => {
      const node = cloud.state.nodes[id]
      if (node?.status === 'ready') await cloud.machines.nodeUp(nodeSpec(cloud, node))
    },
    reason => {
      const node = cloud.state.nodes[id]
      if (node) Object.assign(node, { status: 'creation_error', error_message: reason })
    },
  )
