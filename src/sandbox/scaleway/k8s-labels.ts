import type { Taint } from '../ports.ts'
import { serverTypes } from './catalogue.ts'
import type { Node, Pool } from './records.ts'

/** Labels a node carries from birth: the cloud's own, the pool's, and those its tags stand for. */
export const nodeLabels = (pool: Pool, node: Node): Record<string, string> => {
  const type = pool.node_type.toUpperCase().replaceAll('_', '-')
  return {
    'k8s.scaleway.com/kapsule': pool.cluster_id,
    'k8s.scaleway.com/managed': 'true',
    'k8s.scaleway.com/node': node.id,
    'k8s.scaleway.com/pool': pool.id,
    'k8s.scaleway.com/pool-name': pool.name,
    'k8s.scaleway.com/runtime': pool.container_runtime,
    'kubernetes.io/arch': serverTypes[type]?.arch === 'arm64' ? 'arm64' : 'amd64',
    'kubernetes.io/hostname': node.name,
    'kubernetes.io/os': 'linux',
    'node.kubernetes.io/instance-type': type,
    'topology.kubernetes.io/region': pool.region,
    'topology.kubernetes.io/zone': pool.zone,
    ...Object.fromEntries(pool.tags.flatMap(tagLabel)),
    ...pool.labels,
  }
}

export const nodeTaints = (pool: Pool): Taint[] => {
  const all = [...pool.tags.flatMap(tagTaint), ...pool.taints, ...pool.startup_taints]
  return [...new Map(all.map(it => [`${it.key}:${it.effect}`, it])).values()]
}

/** The old way: `k=v` is a label under Scaleway's prefix, `noprefix=k=v` one without. */
const tagLabel = (tag: string): [string, string][] => {
  if (tag.startsWith('taint=')) return []
  const bare = tag.startsWith('noprefix=')
  const [key, value, ...rest] = (bare ? tag.slice('noprefix='.length) : tag).split('=')
  if (!key || value === undefined || rest.length) return []
  return [[bare ? key : `k8s.scaleway.com/${key}`, value]]
}

/** `taint=k=v:NoSchedule`, or `taint=noprefix=k=v:NoSchedule`. */
const tagTaint = (tag: string): Taint[] => {
  const found = /^taint=(noprefix=)?([^=]+)=([^:]*):(NoSchedule|PreferNoSchedule|NoExecute)$/.exec(tag)
  if (!found) return []
  const [, bare, key, value, effect] = found
  return [{ key: bare ? key! : `k8s.scaleway.com/${key}`, value: value!, effect: effect as Taint['effect'] }]
}
