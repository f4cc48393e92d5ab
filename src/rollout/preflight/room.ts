import { isLeaving, isOver, type Pod } from '../workload.ts'
import { quantity } from './amounts.ts'
import { disruption, phasesOf } from './downtime.ts'
import type { Check, Finding } from './finding.ts'
import { isAskedFor, obstacle, type Place } from './placing.ts'
import { type Amounts, amountsOf } from './requests.ts'
import type { ClusterNode, Moving, Sight } from './sight.ts'
import { spreadOf } from './spread.ts'
import { tiedVolumes } from './volumes.ts'

/**
 * A pod that comes before another goes needs a node: one that it may be on, with room for what it asks for. One at a
 * time is enough, since each that is ready lets another go.
 */
export const room: Check = sight => [...sight.moving.flatMap(it => taken(it, sight)), ...nodesFor(sight)]

/** A volume that one pod alone may have keeps the next one waiting, wherever it is. */
const taken = (it: Moving, sight: Sight): Finding[] => {
  const { down, extra } = disruption(it)
  const { taken: claim } = tiedVolumes(it, sight)
  if (extra === 0 || claim === null) return []
  return [
    {
      level: down > 0 ? 'note' : 'stop',
      workload: it.name,
      what: `the pod that comes first would wait for the volume ${claim}`,
      why: 'its access mode is ReadWriteOncePod, and a pod has it',
      next:
        down > 0 ? LONGER : 'let the old pod go first (maxSurge: 0, maxUnavailable: 1), which is an outage of that pod',
    },
  ]
}

const LONGER = 'nothing: one goes before, so it only takes longer'

const nodesFor = (sight: Sight): Finding[] => {
  const { nodes, moving } = sight
  if (!nodes || nodes.length === 0) return []
  const everywhere = byNode(sight.everyPod)
  const here = byNode(sight.pods.filter(it => !isLeaving(it)))
  return phasesOf(moving).flatMap(phase => {
    const places = nodes.map(node => {
      const { name } = node.metadata
      return { node, left: leftOn(node, everywhere.get(name) ?? []), here: here.get(name) ?? [] }
    })
    return phase.filter(it => disruption(it).extra > 0).flatMap(it => placed(it, places, sight))
  })
}

type Room = Place & { left: Left }

const byNode = (pods: readonly Pod[]): Map<string | undefined, Pod[]> =>
  Map.groupBy(
    pods.filter(it => !isOver(it)),
    it => it.spec.nodeName,
  )

type Left = Pick<Amounts, 'cpu' | 'memory'> & { pods: number }

const leftOn = ({ status = {} }: ClusterNode, there: readonly Pod[]): Left => {
  const { cpu, memory, pods } = status.allocatable ?? {}
  const all = (text: string | undefined) => (text === undefined ? Number.POSITIVE_INFINITY : quantity(text))
  const left = { cpu: all(cpu), memory: all(memory), pods: all(pods) }
  for (const pod of there) {
    const asked = amountsOf(pod.spec)
    left.cpu -= asked.cpu
    left.memory -= asked.memory
    left.pods -= 1
  }
  return left
}

const placed = (it: Moving, places: readonly Room[], sight: Sight): Finding[] => {
  const asked = amountsOf(it.template.spec)
  const reasons = new Map<string, number>()
  const spread = spreadOf(it, places, node => isAskedFor(it, node))
  const { at } = tiedVolumes(it, sight)
  const away = ({ metadata: { name } }: ClusterNode) => {
    const volume = at.find(({ nodes }) => !nodes.includes(name))
    return volume && `are not where its volume ${volume.claim} is (${volume.nodes.join(', ')})`
  }
  let best: Left | undefined
  for (const place of places) {
    const { node } = place
    const why = obstacle(it, place, sight.namespace) ?? away(node) ?? spread(node) ?? shortage(asked, place.left)
    if (why) reasons.set(why, (reasons.get(why) ?? 0) + 1)
    else if (!best || place.left.pods > best.pods) best = place.left
  }
  if (best) {
    best.cpu -= asked.cpu
    best.memory -= asked.memory
    best.pods -= 1
    return []
  }
  const { down } = disruption(it)
  const told = [...reasons].map(([why, count]) => `${count} ${why}`).join(', ')
  const easy = down > 0 || sight.wishes.grows
  return [
    {
      level: easy ? 'note' : 'stop',
      workload: it.name,
      what: 'no node has room for the pod that comes first',
      why: `of ${places.length} nodes: ${told}`,
      next: easy
        ? down > 0
          ? LONGER
          : 'nothing, if the pool grows: its autoscaling is on'
        : 'add a node, or let one pod go first (maxUnavailable: 1)',
    },
  ]
}

const shortage = (asked: Amounts, left: Left): string | undefined =>
  left.pods < 1
    ? 'have as many pods as they may'
    : asked.cpu > left.cpu + 1e-6
      ? 'have too little CPU'
      : asked.memory > left.memory
        ? 'have too little memory'
        : undefined
