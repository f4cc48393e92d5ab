import type { Vpcv2 } from '@scaleway/sdk'
import { word } from '../engine/desired.ts'
import { type ExistingWant, existingKind } from './existing.ts'
import { live as liveNetwork, type PrivateNetworkLive } from './private-network.ts'
import { live as liveVpc, type VpcLive } from './vpc.ts'

/** A VPC that somebody else made. */
export const existingVpcKind = existingKind<ExistingWant, Vpcv2.VPC, VpcLive>({
  kind: 'existing-vpc',
  what: 'VPC',
  list: ({ vpc, projectId }) => vpc.listVPCs({ projectId }).all(),
  live: liveVpc,
  misfit: () => null,
})
export const existingVpc = word(existingVpcKind)

/** `vpcId`: the VPC that the inventory names beside it. */
export type ExistingNetworkWant = ExistingWant & { cidr: string; vpcId?: string }

/** A private network that somebody else made. What we put into it is ours all the same. */
export const existingNetworkKind = existingKind<ExistingNetworkWant, Vpcv2.PrivateNetwork, PrivateNetworkLive>({
  kind: 'existing-private-network',
  what: 'private network',
  list: ({ vpc, projectId }) => vpc.listPrivateNetworks({ projectId }).all(),
  live: liveNetwork,
  misfit({ cidr, vpcId, place }, live) {
    if (live.cidr !== cidr)
      return {
        why: `its range is ${live.cidr}, the inventory says ${cidr}`,
        next: `write cidr: ${live.cidr} in ${place}`,
      }
    if (vpcId !== undefined && live.vpcId !== vpcId)
      return { why: `it is in the VPC ${live.vpcId}, not in ${vpcId}`, next: 'correct network.vpc, or leave it out' }
    return null
  },
})
export const existingNetwork = word(existingNetworkKind)
