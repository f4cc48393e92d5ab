import type { Blockv1, Instancev1, K8Sv1, Vpcgwv2 } from '@scaleway/sdk'

/** What a state means to a wait: it is over, it is still on its way, or it will not get better by itself. */
export type Meaning = 'good' | 'transient' | 'bad'
export type States = Readonly<Record<string, Meaning>>

/** Every word that the SDK knows has a meaning here, or this does not compile. */
const gateway: Record<Vpcgwv2.GatewayStatus, Meaning> = {
  running: 'good',
  allocating: 'transient',
  configuring: 'transient',
  stopping: 'transient',
  deleting: 'transient',
  unknown_status: 'transient',
  failed: 'bad', // seen in passing during an upgrade: it gets some patience
  locked: 'bad',
  stopped: 'bad',
}

const gatewayNetwork: Record<Vpcgwv2.GatewayNetworkStatus, Meaning> = {
  ready: 'good',
  created: 'transient', // no MAC address yet: it carries nothing
  attaching: 'transient',
  configuring: 'transient',
  unknown_status: 'transient',
  detaching: 'bad',
}

const server: Record<Instancev1.ServerState, Meaning> = {
  running: 'good',
  starting: 'transient',
  stopping: 'transient',
  stopped: 'bad',
  'stopped in place': 'bad',
  locked: 'bad',
}

const privateNic: Record<Instancev1.PrivateNICState, Meaning> = {
  available: 'good',
  syncing: 'transient',
  syncing_error: 'bad',
}

const securityGroup: Record<Instancev1.SecurityGroupState, Meaning> = {
  available: 'good',
  syncing: 'transient',
  syncing_error: 'bad',
}

const volume: Record<Blockv1.VolumeStatus, Meaning> = {
  available: 'good',
  in_use: 'transient', // some seconds longer than its server is there
  creating: 'transient',
  resizing: 'transient',
  snapshotting: 'transient',
  updating: 'transient',
  deleting: 'transient',
  deleted: 'good',
  error: 'good', // it can be deleted, which is all that is asked of it
  unknown_status: 'transient',
  locked: 'bad',
}

const cluster: Record<K8Sv1.ClusterStatus, Meaning> = {
  ready: 'good',
  pool_required: 'good', // without a pool it stays there, and pools are Kinds of their own
  creating: 'transient',
  updating: 'transient',
  unknown: 'transient',
  deleting: 'bad',
  deleted: 'bad',
  locked: 'bad',
}

const pool: Record<K8Sv1.PoolStatus, Meaning> = {
  ready: 'good',
  scaling: 'transient',
  upgrading: 'transient',
  unknown: 'transient',
  warning: 'bad', // may heal: it gets much patience
  deleting: 'bad',
  deleted: 'bad',
  locked: 'bad',
}

/** The usual meaning; a wait for something else, e.g. for it to go, says what is good and bad there. */
export const states = { gateway, gatewayNetwork, server, privateNic, securityGroup, volume, cluster, pool }
