import { walkGraph } from '../engine/walk.ts'
import type { Scaleway } from './client.ts'
import { removeCluster } from './cluster.ts'
import { removeFlexibleIp } from './flexible-ip.ts'
import { removeGatewayIp } from './gateway-ip.ts'
import { removeGateway, removeGatewayNetwork } from './gateway-remove.ts'
import { removeIpamAddress } from './ipam-address.ts'
import type { Owned, OwnedKind } from './leftovers.ts'
import type { Waiter } from './poll.ts'
import { removePool } from './pool.ts'
import { removePrivateNetwork } from './private-network.ts'
import { removeVolume } from './root-volume.ts'
import { removeSecurityGroup } from './security-group.ts'
import { removeServer } from './server-remove.ts'
import { removeSshKey } from './ssh-key.ts'
import { removeVpc } from './vpc.ts'

/** What must be gone before. Nodes leave through the gateway for as long as there are any. */
const firstGoes: Record<OwnedKind, readonly OwnedKind[]> = {
  pool: [],
  cluster: ['pool'],
  server: [],
  'root-volume': ['server'],
  'flexible-ip': ['server'],
  'security-group': ['server', 'pool'],
  'gateway-network': ['pool', 'cluster'],
  gateway: ['gateway-network'],
  'gateway-ip': ['gateway'],
  'ipam-address': ['server', 'cluster', 'gateway-network'],
  'private-network': ['server', 'cluster', 'gateway-network', 'ipam-address'],
  vpc: ['server', 'cluster', 'private-network'],
  'ssh-key': ['server', 'gateway'],
}

const removals: Record<OwnedKind, (scaleway: Scaleway, owned: Owned, report: Waiter) => Promise<void>> = {
  pool: (scaleway, { id }, report) => removePool(scaleway, id, report),
  cluster: (scaleway, { id }, report) => removeCluster(scaleway, id, report),
  server: (scaleway, { id, name }, report) => removeServer(scaleway, id, name, report),
  'root-volume': (scaleway, { id }, report) => removeVolume(scaleway, id, report),
  'flexible-ip': (scaleway, { id }) => removeFlexibleIp(scaleway, id),
  'security-group': (scaleway, { id }, report) => removeSecurityGroup(scaleway, id, report),
  'gateway-network': (scaleway, { id }, report) => removeGatewayNetwork(scaleway, id, report),
  gateway: (scaleway, { id }, report) => removeGateway(scaleway, id, report),
  'gateway-ip': (scaleway, { id }, report) => removeGatewayIp(scaleway, id, report),
  'ipam-address': (scaleway, { id }, report) => removeIpamAddress(scaleway, id, report),
  'private-network': (scaleway, { id }, report) => removePrivateNetwork(scaleway, id, report),
  vpc: (scaleway, { id }, report) => removeVpc(scaleway, id, report),
  'ssh-key': (scaleway, { id }) => removeSshKey(scaleway, id),
}

export type Removal = { gone: Owned[]; failures: { owned: Owned; error: unknown }[]; left: Owned[] }

export type Removing = {
  reportFor: (owned: Owned) => Waiter
  /** Starts nothing new; what is under way is finished. */
  stop?: AbortSignal
  /** Asked before each: false starts nothing new either. */
  admit?: () => Promise<boolean>
  onStart?: (owned: Owned) => void
  onEnd?: (owned: Owned, error?: unknown) => void
}

/** Takes things away, each as soon as what must go before it is gone. Safe to interrupt and to repeat. */
export const removeEach = async (
  scaleway: Scaleway,
  all: readonly Owned[],
  { reportFor, stop, admit = async () => true, onStart, onEnd }: Removing,
): Promise<Removal> => {
  const byId = new Map(all.map(it => [it.id, it]))
  const outcome: Removal = { gone: [], failures: [], left: [] }
  const idsOf = (kinds: readonly OwnedKind[]) => all.flatMap(it => (kinds.includes(it.kind) ? [it.id] : []))
  const first = new Map(kindsIn(all).map(kind => [kind, idsOf(firstGoes[kind])]))
  const firstOf = (id: string) => first.get(byId.get(id)!.kind) ?? []
  const visit = async (id: string): Promise<boolean> => {
    const owned = byId.get(id)!
    if (stop?.aborted || !(await admit())) {
      outcome.left.push(owned)
      return false
    }
    onStart?.(owned)
    try {
      await removals[owned.kind](scaleway.at(owned.zone), owned, reportFor(owned))
    } catch (error) {
      outcome.failures.push({ owned, error })
      onEnd?.(owned, error)
      return false
    }
    outcome.gone.push(owned)
    onEnd?.(owned)
    return true
  }
  const never = await walkGraph([...byId.keys()], firstOf, visit)
  outcome.left.push(...never.map(id => byId.get(id)!))
  return outcome
}

const kindsIn = (all: readonly Owned[]) => [...new Set(all.map(it => it.kind))]
