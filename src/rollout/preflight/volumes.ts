import { isOver, type Pod, type PodSpec } from '../workload.ts'
import type { Claim, Moving, Sight } from './sight.ts'

type Mounting = { volumes?: { persistentVolumeClaim?: { claimName: string } }[] }

export const claimsOf = (spec: PodSpec): string[] =>
  ((spec as Mounting).volumes ?? []).flatMap(it => it.persistentVolumeClaim?.claimName ?? [])

const modesOf = ({ spec = {} }: Claim): string[] => spec.accessModes ?? []

/** Volumes of a workload's pods that a second pod cannot have, or only on the node where they are. */
export const tiedVolumes = (
  { template }: Pick<Moving, 'template'>,
  { claims, pods }: Pick<Sight, 'claims' | 'pods'>,
): { taken: string | null; at: { claim: string; nodes: string[] }[] } => {
  const names = claimsOf(template.spec)
  const own = claims.filter(it => names.includes(it.metadata.name))
  const holders = (claim: string): Pod[] => pods.filter(it => !isOver(it) && claimsOf(it.spec).includes(claim))
  const taken = own.find(it => modesOf(it).includes('ReadWriteOncePod') && holders(it.metadata.name).length > 0)
  const once = own.filter(it => modesOf(it).length > 0 && modesOf(it).every(mode => mode === 'ReadWriteOnce'))
  const at = once.flatMap(({ metadata: { name: claim } }) => {
    const nodes = [...new Set(holders(claim).flatMap(it => it.spec.nodeName ?? []))]
    return nodes.length > 0 ? [{ claim, nodes }] : []
  })
  return { taken: taken?.metadata.name ?? null, at }
}
