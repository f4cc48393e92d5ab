import { byId, type Cloud, mustFind } from './cloud.ts'
import { clusterSpec } from './k8s-cluster-life.ts'
import { joinNode } from './k8s-nodes.ts'
import { bringGateway, bringServer, lockServer } from './sync.ts'
import { reasonOf } from './transitions.ts'

/**
 * After a restart: brings the machines to the saved state, outside in, then takes up what was in transition.
 * What cannot be brought goes to its error state; the rest goes on.
 */
export const reconcile = async (cloud: Cloud, say: (what: string) => void): Promise<void> => {
  const { state, machines, clusters, transitions } = cloud
  const each = async <T extends { id: string; name: string }>(
    rows: T[],
    bring: (row: T) => Promise<void>,
    failed: (row: T) => void,
  ) => {
    await Promise.all(
      rows.map(row =>
        transitions
          .queue(row.id, () => bring(row))
          .catch(thrown => {
            say(`${row.name} (${row.id}) did not come back: ${reasonOf(thrown)}`)
            failed(row)
          }),
      ),
    )
  }

  await each(
    byId(state.private_networks),
    it => machines.networkUp({ id: it.id, cidr: it.subnets[0]!.subnet }),
    () => {},
  )
  const standing = byId(state.gateways).filter(it => it.status === 'running' || it.status === 'configuring')
  await each(
    standing,
    it => bringGateway(cloud, it.id),
    it => Object.assign(it, { status: 'failed' }),
  )
  const up = byId(state.clusters).filter(it => it.status !== 'creating' && it.status !== 'locked')
  await Promise.all([
    each(
      byId(state.servers),
      it => bringServer(cloud, it.id),
      it => lockServer(cloud, it.id, 'restart failed'),
    ),
    each(
      up,
      it => clusters.create(clusterSpec(it)),
      it => Object.assign(it, { status: 'locked' }),
    ),
  ])
  await each(
    byId(state.nodes).filter(it => it.status === 'ready'),
    it => joinNode(cloud, it),
    it => Object.assign(mustFind(cloud, 'pools', it.pool_id), { status: 'warning', error_message: 'node is lost' }),
  )
  transitions.resume()
}
