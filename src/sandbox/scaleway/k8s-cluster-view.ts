import type { Cloud } from './cloud.ts'
import type { Body } from './fields.ts'
import type { Cluster } from './records.ts'
import { asOf, today } from './releases.ts'

/** What answers a write is a little behind what answers a `read`. */
export const showCluster = (cloud: Cloud, cluster: Cluster, read = false) =>
  asOf('cluster', dayOfCluster(cloud, cluster), everyCluster(cloud, cluster, read))

export const dayOfCluster = ({ asOf }: Cloud, cluster: Cluster | undefined) => asOf ?? cluster?.as_of ?? today

const everyCluster = (cloud: Cloud, cluster: Cluster, read: boolean) => {
  const { acls: _acls, settings, delete_network: _delete, as_of: _day, ...it } = cluster
  return {
    ...it,
    organization_id: cloud.credentials.organizationId,
    cluster_url: `https://${it.id}.api.k8s.${it.region}.scw.cloud:6443`,
    dns_wildcard: `*.${it.id}.nodes.k8s.${it.region}.scw.cloud`,
    autoscaler_config: asOf('autoscaler', dayOfCluster(cloud, cluster), {
      ...autoscaler,
      ...given(settings.autoscaler_config),
    }),
    upgrade_available: false,
    feature_gates: settings.feature_gates ?? [],
    admission_plugins: settings.admission_plugins ?? [],
    open_id_connect_config: { ...openId, ...given(settings.open_id_connect_config) },
    apiserver_cert_sans: settings.apiserver_cert_sans ?? [],
    commitment_ends_at: it.created_at,
    acl_available: true,
    new_images_enabled: read,
  }
}

const autoscaler = {
  ...{ scale_down_disabled: false, scale_down_delay_after_add: '10m', estimator: 'binpacking', expander: 'random' },
  ...{ ignore_daemonsets_utilization: false, balance_similar_node_groups: false, expendable_pods_priority_cutoff: 0 },
  ...{ scale_down_unneeded_time: '10m', scale_down_utilization_threshold: 0.5, max_graceful_termination_sec: 0 },
  ...{ skip_nodes_with_local_storage: false, log_level: 2 },
}
const openId = {
  ...{ issuer_url: '', client_id: '', username_claim: '', username_prefix: '', groups_claim: [], groups_prefix: '' },
  required_claim: [],
}

/** Members that were really given: clients send null and `unknown_…` for what they leave open. */
export const given = (value: unknown) =>
  Object.fromEntries(
    Object.entries((value ?? {}) as Body).filter(([, it]) => it !== null && !String(it).startsWith('unknown_')),
  )
