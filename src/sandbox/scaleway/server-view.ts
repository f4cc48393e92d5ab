import { serverTypes } from './catalogue.ts'
import { byId, type Cloud, pythonDate } from './cloud.ts'
import { showImage } from './marketplace.ts'
import type { InstanceIp, PrivateNic, Server } from './records.ts'
import { asOf, today } from './releases.ts'
import { nicsOf } from './specs.ts'

/** What can be asked of a server in a state. */
export const allowedActions = ({ state }: Server): string[] =>
  ({
    stopped: ['poweron', 'backup'],
    starting: ['stop_in_place', 'backup'],
    running: ['poweroff', 'terminate', 'reboot', 'stop_in_place', 'backup'],
    stopping: ['stop_in_place', 'backup'],
    'stopped in place': ['poweron', 'poweroff', 'terminate', 'backup'],
    locked: ['poweron', 'poweroff'],
  })[state]

/** A server as the Instance API tells it, with everything that hangs on it. */
export const showServer = (cloud: Cloud, it: Server) => ({
  ...asOf('server', cloud.asOf ?? it.as_of ?? today, { ...everyServer(cloud, it), ...passwordFields(it) }),
})

/** Of one server, some reads have these fields and some have not; the older types have none. */
const passwordFields = ({ id, commercial_type }: Server) => {
  if (/^(DEV1|GP1)-/.test(commercial_type)) return {}
  const read = (reads.get(id) ?? 0) + 1
  reads.set(id, read)
  const key = { admin_password_encryption_ssh_key_id: null }
  return [{}, key, { ...key, admin_password_encrypted_value: null }][read % 3]
}
const reads = new Map<string, number>()

const everyServer = (cloud: Cloud, it: Server) => {
  const { state, credentials } = cloud
  const ips = publicIps(cloud, it)
  const group = state.security_groups[it.security_group_id]
  const placed = !['stopped', 'starting'].includes(it.state)
  return {
    ...{ id: it.id, name: it.name, arch: serverTypes[it.commercial_type]!.arch, commercial_type: it.commercial_type },
    ...{ boot_type: it.boot_type, organization: credentials.organizationId, project: it.project_id },
    ...{ hostname: it.name, image: showImage(it.zone, it.image_id) },
    volumes: {
      0: { boot: it.boot, volume_type: 'sbs_volume', id: it.volume_id, state: 'available', zone: it.zone },
    },
    ...{ tags: it.tags, state: it.state, protected: it.protected, state_detail: it.state_detail },
    ...{ public_ip: ips[0] ?? null, public_ips: ips, mac_address: it.mac_address, routed_ip_enabled: true },
    ...{ ipv6: null, extra_networks: [], dynamic_ip_required: it.dynamic_ip_required, enable_ipv6: false },
    ...{ private_ip: null, creation_date: pythonDate(it.created_at), modification_date: pythonDate(it.updated_at) },
    ...{ bootscript: null, security_group: group ? { id: group.id, name: group.name } : null },
    location: placed
      ? { zone_id: it.zone, platform_id: '14', cluster_id: '28', hypervisor_id: '301', node_id: '18' }
      : null,
    ...{ maintenances: [], allowed_actions: allowedActions(it), placement_group: null },
    private_nics: nicsOf(cloud, it.id).map(showNic),
    ...{ zone: it.zone, filesystems: [], end_of_service: false, dns: `${it.id}.pub.instances.scw.cloud` },
  }
}

export const showNic = (it: PrivateNic) => ({
  ...{ id: it.id, private_network_id: it.private_network_id, server_id: it.server_id, mac_address: it.mac_address },
  ...{ state: it.state, creation_date: pythonDate(it.created_at), modification_date: pythonDate(it.updated_at) },
  ...{ zone: it.zone, tags: it.tags, ipam_ip_ids: it.ipam_ip_ids },
})

const publicIps = ({ state }: Cloud, { id, dynamic_address }: Server) => {
  const shown = (it: Pick<InstanceIp, 'id' | 'address' | 'tags' | 'family'>, dynamic: boolean) => ({
    ...{ id: it.id, address: it.address, dynamic, tags: it.tags, state: 'attached', ipam_id: it.id },
    ...(it.family === 'inet6'
      ? { gateway: 'fe80::', netmask: '64', family: 'inet6', provisioning_mode: 'slaac' }
      : { gateway: '62.210.0.1', netmask: '32', family: 'inet', provisioning_mode: 'dhcp' }),
  })
  const flexible = byId(state.instance_ips).filter(it => it.server_id === id)
  return [
    ...flexible.map(it => shown(it, false)),
    ...(dynamic_address ? [shown({ id, address: dynamic_address, tags: [] }, true)] : []),
  ]
}
