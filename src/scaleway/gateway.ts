import { createHash } from 'node:crypto'
import type { Vpcgwv2 } from '@scaleway/sdk'
import { word } from '../engine/desired.ts'
import type { Change, Kind } from '../engine/kind.ts'
import { create, field, fixed, replace, update } from './changes.ts'
import type { Scaleway } from './client.ts'
import { removeGateway, removeGatewayFromNetworks } from './gateway-remove.ts'
import { makeOnce } from './make.ts'
import { refuseOrphan } from './orphan.ts'
import { arrive, become, insist, staying, type Waiter } from './poll.ts'
import { isDoubtful, isTransient, orNull } from './problems.ts'
import { clearWay, refuseReturn } from './replaced.ts'
import { states } from './states.ts'
import { contextTag, lostTags, mendTags, tagChange, tagsOf, theOne, type Untagged } from './tags.ts'
import { findZoned, inZones, listHere } from './zones.ts'

export type GatewayWant = { name: string; type: string; ipId: string; zone?: string; bastion?: BastionWant }
/** `keyIds`: the project's SSH keys that must be on the bastion. It copies them only when it is told to. */
export type BastionWant = { port?: number; allowedIps?: string[]; keyIds?: string[] }

export type GatewayLive = Untagged & {
  id: string
  name: string
  type: string
  ipId: string | null
  address: string | null
  status: string
  zone?: string
  bastion: { enabled: boolean; port: number; allowedIps: string[]; keys: string | null }
}

/** Where the bastion of a new gateway listens. */
const usualPort = 61000
const portOf = ({ port = usualPort }: BastionWant): number => port

const keysTag = 'egress-bastion-keys='

const list = ({ gateway, projectId, context }: Scaleway, tags = [contextTag(context)]) =>
  gateway.listGateways({ projectId, tags }).all()

export const sharedGateways = (scaleway: Scaleway): Promise<Vpcgwv2.Gateway[]> =>
  listHere(scaleway, 'gateway', here => list(here))

export const live = (it: Vpcgwv2.Gateway): GatewayLive => ({
  id: it.id,
  name: it.name,
  type: it.type,
  ipId: it.ipv4?.id ?? null,
  address: it.ipv4?.address ?? null,
  status: it.status,
  zone: it.zone,
  bastion: {
    enabled: it.bastionEnabled,
    port: it.bastionPort,
    allowedIps: ranges(it.bastionAllowedIps),
    keys: it.tags.find(tag => tag.startsWith(keysTag))?.slice(keysTag.length) ?? null,
  },
})

/** A Public Gateway. What it does for a network is a kind of its own, gateway-network. */
export const gatewayKind: Kind<GatewayWant, GatewayLive, Scaleway> = {
  name: 'gateway',
  ahead: sharedGateways,
  takes: { create: 10, update: 10, replace: 20, delete: 5 },
  async read({ name }, scaleway, report) {
    const pick = (all: Vpcgwv2.Gateway[]) => theOne(scaleway, 'gateway', name, all)
    const found = await findZoned(scaleway, 'gateway', 'gateway', here => list(here), pick)
    if (!found)
      return refuseOrphan(scaleway, report, 'gateway', name, tags =>
        inZones(scaleway, scaleway.zones, here => list(here, tags)),
      )
    if (found.status === 'deleting') return null
    return { ...live(found), ...lostTags(scaleway, name, found.tags) }
  },
  diff(want, live) {
    const what = `gateway ${want.name}`
    if (!live) return create(`${what} ${want.type}`)
    const other = replacement(want, live)
    if (other) return other
    return update(what, [
      field('status', live.status, 'running'),
      field('name', live.name, want.name),
      tagChange(live),
      field('type', live.type.toUpperCase(), want.type.toUpperCase()),
      field('bastion', live.bastion.enabled, want.bastion !== undefined),
      ...(want.bastion
        ? [
            field('bastion port', live.bastion.port, portOf(want.bastion)),
            field('bastion allowed ips', live.bastion.allowedIps, ranges(want.bastion.allowedIps ?? ['0.0.0.0/0'])),
            field('bastion keys', live.bastion.keys, keysOf(want.bastion)),
          ]
        : []),
    ])
  },
  async apply(want, scaleway, before, report) {
    const { name, type, ipId, bastion } = want
    const here = scaleway.at(want.zone)
    // Its leg in the network is a thing of its own, and is made again after it.
    const stays = await clearWay(before, before && replacement(want, before), report, id =>
      removeGatewayFromNetworks(scaleway.at(before?.zone), id, report),
    )
    const made = await makeOnce(report, {
      look: () =>
        staying(report, {
          what: `gateway ${name}`,
          look: async () => theOne(scaleway, 'gateway', name, (await list(here)).filter(stays)),
          state: it => it.status,
          states: states.gateway,
          leaving: ['deleting'],
          withinMs: scaleway.deadlines.gateway,
        }),
      make: () =>
        here.gateway.createGateway({
          name,
          type,
          ipId,
          // A new bastion begins with the keys of the project, and these are there: nothing to refresh or to note later.
          tags: [...tagsOf(scaleway, name), ...(bastion ? keyTags(bastion) : [])],
          enableSmtp: false,
          enableBastion: bastion !== undefined,
          // The port that it has anyway is outside the range that may be asked for.
          ...(bastion && portOf(bastion) !== usualPort && { bastionPort: portOf(bastion) }),
        }),
    })
    return bring(want, here, made.id, report)
  },
  async undo(want, scaleway, before, now, report) {
    const there = now ?? (await gatewayKind.read(want, scaleway, report))
    if (!before) return there ? removeGateway(scaleway.at(there.zone), there.id, report) : undefined
    refuseReturn(`gateway ${want.name}`, before, there)
    const { enabled, port, allowedIps } = before.bastion
    const keyIds = want.bastion?.keyIds ?? []
    const bastion = enabled ? { bastion: { port, allowedIps, keyIds } } : {}
    await bring(
      { name: before.name, type: before.type, ipId: before.ipId ?? want.ipId, ...bastion },
      scaleway.at(before.zone),
      before.id,
      report,
    )
  },
}
export const gateway = word(gatewayKind)

/** Smallest first: a gateway is upgraded in place, and never downgraded. */
const sizes = ['VPC-GW-S', 'VPC-GW-M', 'VPC-GW-L', 'VPC-GW-XL']
const sizeOf = (type: string): number => sizes.indexOf(type.toUpperCase())

const replacement = (want: GatewayWant, live: GatewayLive): Change | null => {
  const smaller = sizeOf(want.type) >= 0 && sizeOf(want.type) < sizeOf(live.type)
  return replace(`gateway ${want.name}`, [
    fixed('zone', live.zone, want.zone ?? live.zone, 'a gateway cannot move to another zone'),
    fixed('ip', live.ipId, want.ipId, 'a gateway keeps the address it was made with'),
    smaller ? fixed('type', live.type, want.type, 'a gateway can be upgraded, never downgraded') : null,
  ])
}

/** Changes one thing at a time, each from a gateway that has settled: a busy one refuses. */
const bring = async (
  want: GatewayWant,
  scaleway: Scaleway,
  gatewayId: string,
  report: Waiter,
): Promise<GatewayLive> => {
  const api = scaleway.gateway
  const settled = async () => live(await gatewayRunning(scaleway, gatewayId, want.name, report))
  const change = async (act: () => Promise<unknown>) => {
    await insist(report, {
      what: `gateway ${want.name}: busy`,
      act: async () => {
        await settled()
        await act()
      },
      // Each of these changes can be made twice without harm.
      passing: error => isTransient(error) || isDoubtful(error),
      withinMs: scaleway.deadlines.gateway,
    })
  }
  const raw = await gatewayRunning(scaleway, gatewayId, want.name, report)
  const now = live(raw)
  await mendTags(scaleway, want.name, raw.tags, tags => change(() => api.updateGateway({ gatewayId, tags })))
  const { bastion } = want
  if (now.type.toUpperCase() !== want.type.toUpperCase())
    await change(async () => {
      const { type } = await api.getGateway({ gatewayId })
      if (type.toUpperCase() !== want.type.toUpperCase()) await api.upgradeGateway({ gatewayId, type: want.type })
    })
  const port = bastion ? portOf(bastion) : now.bastion.port
  if (now.name !== want.name || now.bastion.enabled !== (bastion !== undefined) || now.bastion.port !== port)
    await change(() =>
      api.updateGateway({
        gatewayId,
        name: want.name,
        enableBastion: bastion !== undefined,
        ...(now.bastion.port !== port && { bastionPort: port }),
      }),
    )
  if (bastion) {
    const ipRanges = ranges(bastion.allowedIps ?? ['0.0.0.0/0'])
    if (field('', now.bastion.allowedIps, ipRanges))
      await change(() => api.setBastionAllowedIPs({ gatewayId, ipRanges }))
    const keys = keysOf(bastion)
    if (now.bastion.keys !== keys) {
      await change(() => api.refreshSSHKeys({ gatewayId }))
      // The tag says that the refresh was done; written after it, so a crash between the two refreshes again.
      const others = raw.tags.filter(it => !it.startsWith(keysTag))
      const tags = [...new Set([...others, ...tagsOf(scaleway, want.name), ...keyTags(bastion)])]
      await change(() => api.updateGateway({ gatewayId, tags }))
    }
  }
  // The answer to a change still says `running`: only fields that have arrived count.
  const wait = running(scaleway, gatewayId, want.name)
  return live(await arrive(report, { ...wait, arrived: it => !gatewayKind.diff(want, live(it)) }))
}

/** An upgrade passes through `failed`, so that state gets some patience. */
export const gatewayRunning = (scaleway: Scaleway, gatewayId: string, name: string, report: Waiter) =>
  become(report, running(scaleway, gatewayId, name))

const running = ({ gateway, deadlines }: Scaleway, gatewayId: string, name: string) => ({
  what: `gateway ${name}`,
  look: () => orNull(gateway.getGateway({ gatewayId })),
  state: (it: Vpcgwv2.Gateway) => it.status,
  states: states.gateway,
  patienceMs: deadlines.gateway / 20,
  withinMs: deadlines.gateway,
})

/** One spelling of ranges: sorted, a single address with its mask. */
const ranges = (all: string[]): string[] => all.map(it => (it.includes('/') ? it : `${it}/32`)).sort()

const keysOf = ({ keyIds = [] }: BastionWant): string | null =>
  keyIds.length === 0
    ? null
    : createHash('sha256')
        .update([...keyIds].sort().join())
        .digest('hex')
        .slice(0, 12)

/** How a later run knows which keys the bastion has: the API does not tell. */
const keyTags = (bastion: BastionWant): string[] => {
  const keys = keysOf(bastion)
  return keys ? [keysTag + keys] : []
}
