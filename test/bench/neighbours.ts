import type { ScalewayState } from '../../src/sandbox/scaleway/api.ts'
import type { ServerClients } from '../../src/scaleway/cloud-init.ts'
import { connect, type openCloud, settled, unhurried } from './cloud.ts'
import { provision } from './provision.ts'
import { wish } from './tenants.ts'

type Cloud = Awaited<ReturnType<typeof openCloud>>
type Row = { id: string; [field: string]: unknown }

export const otherProject = '77777777-2222-4333-8444-555555555555'

/** Everything that could be taken for ours and is not, in the account where our context `bench` will stand. */
export const settleNeighbours = async (cloud: Cloud): Promise<void> => {
  cloud.api.addProject(otherProject, 'other')
  // The very same context with the very same tags, in another project.
  await standUp(cloud, 'bench', 'shared', otherProject)
  // Other contexts of ours, whose names begin as ours does or end so.
  await standUp(cloud, 'bench2', 'shared-2')
  await standUp(cloud, 'my-bench', 'shared-3')
  // Somebody's things of the same names without a tag.
  await strip(await standUp(cloud, 'untagged', 'shared-4'), cloud.api.state(), () => [])
  // Tags that speak of our context, and tags of ours that do not: neither alone makes a thing ours.
  await strip(await standUp(cloud, 'lookalike', 'shared-5'), cloud.api.state(), () => ['egress-context=bench'])
  // With the very names it could be one of ours that lost its context: then a plan asks a person.
  await strip(await standUp(cloud, 'half', 'shared-6'), cloud.api.state(), name => [
    'kapsule-egress',
    `egress-name=not-${name}`,
  ])
  await settled(cloud.api)
}

const standUp = async (cloud: Cloud, name: string, cluster: string, projectId?: string) => {
  const wished = await wish(1, { name, cluster })
  const clients = await connect(cloud.url, name, { pace: unhurried() }, projectId)
  await provision(wished.cloud, clients)
  await wished.remove()
  return clients
}

/** Gives everything of a context other tags. */
const strip = async (clients: ServerClients, state: ScalewayState, tagsFor: (name: string) => string[]) => {
  const { vpc, gateway, ipam, instance, block, k8s, iam, context } = clients
  const its = <T extends { id: string; tags: string[] }>(rows: Record<string, T>) =>
    Object.values(rows)
      .filter(it => it.tags.includes(`egress-context=${context}`))
      .map(({ id, tags }) => ({ id, tags: tagsFor(tags.find(it => it.startsWith('egress-name='))!.slice(12)) }))
  await Promise.all([
    ...its(state.vpcs).map(({ id, tags }) => vpc.updateVPC({ vpcId: id, tags })),
    ...its(state.private_networks).map(({ id, tags }) => vpc.updatePrivateNetwork({ privateNetworkId: id, tags })),
    ...its(state.ips).map(({ id, tags }) => ipam.updateIP({ ipId: id, tags })),
    ...its(state.gateway_ips).map(({ id, tags }) => gateway.updateIP({ ipId: id, tags })),
    ...its(state.gateways).map(({ id, tags }) => gateway.updateGateway({ gatewayId: id, tags })),
    ...its(state.instance_ips).map(({ id, tags }) => instance.updateIp({ ip: id, tags })),
    ...its(state.security_groups).map(({ id, tags }) => instance.updateSecurityGroup({ securityGroupId: id, tags })),
    ...its(state.servers).map(({ id, tags }) => instance.updateServer({ serverId: id, tags })),
    ...its(state.volumes).map(({ id, tags }) => block.updateVolume({ volumeId: id, tags })),
    ...its(state.clusters).map(({ id, tags }) => k8s.updateCluster({ clusterId: id, tags })),
    ...its(state.pools).map(({ id, tags }) => k8s.updatePool({ poolId: id, tags })),
    // A key has no tags: its name says whose it is.
    ...Object.values(state.ssh_keys)
      .filter(it => it.name === `kapsule-egress/${context}/operator`)
      .map(it =>
        iam.updateSSHKey({ sshKeyId: it.id, name: context === 'untagged' ? 'operator' : `${context}/bench/operator` }),
      ),
  ])
}

/** Every row of every table by its id: what can be compared, field by field. */
export const rowsOf = (state: ScalewayState): Map<string, string> => {
  const { sequence: _sequence, transitions: _transitions, projects: _projects, ...tables } = state
  return new Map(
    Object.entries(tables).flatMap(([table, rows]) =>
      Object.values(rows as Record<string, Row>).map(row => [`${table}/${row.id}`, JSON.stringify(row)] as const),
    ),
  )
}

/** What was there before and is not as it was. */
export const harmed = (before: ReadonlyMap<string, string>, state: ScalewayState): string[] => {
  const now = rowsOf(state)
  return [...before].flatMap(([id, row]) => (now.get(id) === row ? [] : [`${id}: ${row} -> ${now.get(id) ?? 'gone'}`]))
}
