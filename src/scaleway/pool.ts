import { word } from '../engine/desired.ts'
import { canonical } from '../engine/json.ts'
import type { Change, Kind } from '../engine/kind.ts'
import { create, field, fixed, replace, update } from './changes.ts'
import type { Scaleway } from './client.ts'
import { sharedClusters } from './cluster.ts'
import { discard, makeOnce } from './make.ts'
import { listNodes, listNodesNow, type PoolNode, sharedNodes } from './nodes.ts'
import { refuseOrphan } from './orphan.ts'
import { appear, arrive, become, insist, staying, until, type Waiter } from './poll.ts'
import { createPool, getPool, listPools, type RawPool, setLabels, setTaints, type Taint } from './pool-api.ts'
import { isInUse, orNull } from './problems.ts'
import { clearWay, refuseReturn } from './replaced.ts'
import { states } from './states.ts'
import { isOurs, lostTags, mendTags, tagChange, tagsOf, theOne, type Untagged } from './tags.ts'

export type { Taint } from './pool-api.ts'

/** `publicIpDisabled` needs the gateway's network ready before: give it as `after`, or nodes never come up. */
export type PoolWant = {
  name: string
  clusterId: string
  type: string
  size: number
  labels: Record<string, string>
  taints: Taint[]
  publicIpDisabled: boolean
  /** Absent: `size` nodes, always. */
  autoscaling?: { min: number; max: number }
  autohealing?: boolean
  /** Absent: what is usual for the type. */
  rootVolumeGb?: number
  zone?: string
}
export type PoolLive = Untagged & {
  id: string
  name: string
  status: string
  type: string
  zone: string
  size: number
  autoscaling: { min: number; max: number } | null
  autohealing: boolean
  publicIpDisabled: boolean
  rootVolumeGb?: number
  labels: Record<string, string>
  taints: string[]
  nodes: PoolNode[]
  /** Of its nodes, as far as they have some. */
  addresses: string[]
}

/** The API answers `dev1_m` to `DEV1-M`. */
const typeOf = (type: string): string => type.toLowerCase().replaceAll('-', '_')
/** One line a taint, sorted, as the API sorts them too. */
const taintLines = (taints: Taint[]): string[] =>
  taints.map(({ key, value, effect }) => `${key}=${value ?? ''}:${effect}`).sort()
const parseTaint = (text: string): Taint => {
  const [, key = '', value = '', effect = ''] = /^(.*?)=(.*):(\w+)$/.exec(text) ?? []
  return { key, value, effect: effect as Taint['effect'] }
}

const live = (it: RawPool, nodes: PoolNode[]): PoolLive => ({
  id: it.id,
  name: it.name,
  status: it.status,
  type: it.node_type,
  zone: it.zone,
  size: it.size,
  autoscaling: it.autoscaling ? { min: it.min_size, max: it.max_size } : null,
  autohealing: it.autohealing,
  publicIpDisabled: it.public_ip_disabled,
  ...(it.root_volume_size && { rootVolumeGb: it.root_volume_size / 1e9 }),
  labels: it.labels ?? {},
  taints: taintLines(it.taints ?? []),
  nodes,
  addresses: nodes.flatMap(({ address }) => address ?? []),
})

const shared = (scaleway: Scaleway, clusterId: string): Promise<RawPool[]> =>
  scaleway.lists.shared(`pool ${clusterId}`, () => listPools(scaleway, clusterId))

/** A node pool of one tenant. Its labels and taints are the pool's own, not tags that turn into some. */
export const poolKind: Kind<PoolWant, PoolLive, Scaleway> = {
  name: 'pool',
  async ahead(scaleway) {
    const clusters = (await sharedClusters(scaleway)).filter(it => isOurs(scaleway, it))
    await Promise.all(clusters.flatMap(({ id }) => [shared(scaleway, id), sharedNodes(scaleway, id)]))
  },
  takes: { create: 300, update: 120, replace: 470, delete: 170 },
  async read({ name, clusterId }, scaleway, report) {
    const found = theOne(scaleway, 'pool', name, await shared(scaleway, clusterId))
    if (!found) return refuseOrphan(scaleway, report, 'pool', name, () => shared(scaleway, clusterId))
    if (found.status === 'deleting') return null
    const nodes = await listNodes(scaleway, clusterId, found.id)
    return { ...live(found, nodes), ...lostTags(scaleway, name, found.tags) }
  },
  diff(want, live) {
    const what = `pool ${want.name}`
    if (!live) return create(`${what} ${want.size} x ${want.type}`)
    const other = replacement(want, live)
    if (other) return other
    const { autoscaling } = want
    return update(what, [
      // An autoscaler is always at work, so only its limits are ours.
      autoscaling || live.status === 'ready' ? null : field('status', live.status, 'ready'),
      autoscaling ? null : field('size', live.size, want.size),
      field('autoscaling', canonical(live.autoscaling), canonical(autoscaling ?? null)),
      field('autohealing', live.autohealing, want.autohealing ?? true),
      field('labels', canonical(live.labels), canonical(want.labels)),
      field('taints', live.taints, taintLines(want.taints)),
      tagChange(live),
    ])
  },
  async apply(want, scaleway, before, report) {
    const { name, clusterId, autoscaling } = want
    const stays = await clearWay(before, before && replacement(want, before), report, id =>
      removePool(scaleway, id, report),
    )
    const made = await makeOnce(report, {
      look: () =>
        staying(report, {
          what: `pool ${name}`,
          look: async () => theOne(scaleway, 'pool', name, (await listPools(scaleway, clusterId)).filter(stays)),
          state: it => it.status,
          states: states.pool,
          leaving: ['deleting'],
          withinMs: scaleway.deadlines.pool,
        }),
      make: () =>
        createPool(scaleway, clusterId, {
          name,
          node_type: want.type,
          size: autoscaling ? Math.min(Math.max(want.size, autoscaling.min), autoscaling.max) : want.size,
          min_size: autoscaling?.min ?? want.size,
          max_size: autoscaling?.max ?? want.size,
          autoscaling: autoscaling !== undefined,
          autohealing: want.autohealing ?? true,
          public_ip_disabled: want.publicIpDisabled,
          zone: want.zone ?? scaleway.zone,
          ...(want.rootVolumeGb && { root_volume_size: want.rootVolumeGb * 1e9 }),
          tags: tagsOf(scaleway, name),
          labels: want.labels,
          taints: want.taints,
        }),
    })
    await mendTags(scaleway, name, made.tags, tags => scaleway.k8s.updatePool({ poolId: made.id, tags }))
    return bring(want, scaleway, made.id, report)
  },
  async undo(want, scaleway, before, now, report) {
    const there = now ?? (await poolKind.read(want, scaleway, report))
    if (!before) return there ? removePool(scaleway, there.id, report) : undefined
    refuseReturn(`pool ${want.name}`, before, there)
    const { size, labels, autohealing, taints } = before
    const old = { ...want, size, labels, autohealing, taints: taints.map(parseTaint) }
    const { autoscaling: _, ...fixedSize } = old
    await bring(
      before.autoscaling ? { ...old, autoscaling: before.autoscaling } : fixedSize,
      scaleway,
      before.id,
      report,
    )
  },
}
export const pool = word(poolKind)

const replacement = (want: PoolWant, live: PoolLive): Change | null =>
  replace(`pool ${want.name}`, [
    fixed('type', typeOf(live.type), typeOf(want.type), 'the nodes of a pool keep their type'),
    fixed('zone', live.zone, want.zone ?? live.zone, 'a pool cannot move to another zone'),
    fixed(
      'root volume (GB)',
      live.rootVolumeGb,
      want.rootVolumeGb ?? live.rootVolumeGb,
      'the root volume of nodes is fixed when a pool is made',
    ),
    fixed(
      'public_ip_disabled',
      live.publicIpDisabled,
      want.publicIpDisabled,
      'whether nodes have public addresses is fixed when a pool is made',
    ),
  ])

const bring = async (want: PoolWant, scaleway: Scaleway, poolId: string, report: Waiter): Promise<PoolLive> => {
  const there = await appear(report, ready(scaleway, want.clusterId, poolId, want.name))
  const now = live(there ?? (await getPool(scaleway, poolId)), [])
  const { autoscaling, autohealing = true, labels, taints, clusterId } = want
  // Both are allowed while the pool scales, and nodes get them when they join.
  if (canonical(now.labels) !== canonical(labels)) await setLabels(scaleway, poolId, labels)
  if (field('', now.taints, taintLines(taints))) await setTaints(scaleway, poolId, taints)
  await become(report, ready(scaleway, want.clusterId, poolId, want.name))
  const sized = autoscaling ? true : now.size === want.size
  if (!sized || canonical(now.autoscaling) !== canonical(autoscaling ?? null) || now.autohealing !== autohealing)
    await insist(report, {
      what: `pool ${want.name}: busy`,
      act: () =>
        scaleway.k8s.updatePool({
          poolId,
          autohealing,
          autoscaling: autoscaling !== undefined,
          ...(autoscaling
            ? { minSize: autoscaling.min, maxSize: autoscaling.max }
            : { size: want.size, minSize: want.size, maxSize: want.size }),
        }),
      passing: isInUse,
      withinMs: scaleway.deadlines.pool,
    })
  const arrived = (it: RawPool) => !poolKind.diff(want, live(it, []))
  const done = await arrive(report, { ...ready(scaleway, want.clusterId, poolId, want.name), arrived })
  return live(done, await listNodesNow(scaleway, clusterId, poolId))
}

/** Nodes take from one minute to eleven; `warning` may heal by itself. All pools that wait look at one list. */
const ready = (scaleway: Scaleway, clusterId: string, poolId: string, name: string) => ({
  what: `pool ${name}`,
  look: async () => (await listPools(scaleway, clusterId)).find(it => it.id === poolId) ?? null,
  state: (it: RawPool) => it.status,
  states: states.pool,
  patienceMs: scaleway.deadlines.pool / 8,
  withinMs: scaleway.deadlines.pool,
})

export const removePool = async (scaleway: Scaleway, poolId: string, report: Waiter): Promise<void> => {
  await insist(report, {
    what: `pool ${poolId}: waiting until it can be deleted`,
    act: () => discard(scaleway.k8s.deletePool({ poolId })),
    passing: isInUse,
    withinMs: scaleway.deadlines.pool,
  })
  await until(report, {
    what: `pool ${poolId}`,
    look: () => orNull(getPool(scaleway, poolId)),
    state: it => it.status,
    states: states.pool,
    good: ['gone', 'deleted'],
    bad: ['locked'],
    patienceMs: scaleway.deadlines.pool / 60,
    withinMs: scaleway.deadlines.pool,
  })
}

export { shared as sharedPools }
