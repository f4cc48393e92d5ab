import type { K8Sv1 } from '@scaleway/sdk'
import { closest } from '../engine/nearest.ts'
import { listClusters } from './cluster.ts'
import type { Check, Finding } from './finding.ts'
import { listPools } from './pool-api.ts'
import { isOurs } from './tags.ts'

/** A cluster: its version is offered, with its CNI, and nobody else's cluster has its name. */
export const checkCluster: Check = async ({ step, want, scaleway, catalogue }) => {
  const [versions, clusters] = await Promise.all([
    catalogue.versions(),
    scaleway.lists.shared('cluster', () => listClusters(scaleway)),
  ])
  const wrong = versions && wrongVersion(want, versions, scaleway.region)
  const other = clusters.find(it => it.name === want.name && it.status !== 'deleting' && !isOurs(scaleway, it))
  return [
    ...(wrong ? [{ step: step.id, ...wrong }] : []),
    ...(other
      ? [
          {
            step: step.id,
            field: 'name',
            what: `there is a cluster ${want.name} already, and it is not ours`,
            why: `${other.id} has the name, and names of clusters are unique in a project`,
            next: `name ours differently, or adopt that one: cluster.existing: { id: ${other.id} }`,
          },
        ]
      : []),
  ]
}

const wrongVersion = (
  { version, cni }: { version: string; cni: string },
  offered: K8Sv1.Version[],
  region: string,
): Omit<Finding, 'step'> | null => {
  const fits = offered.filter(it => it.name === version || it.name.startsWith(`${version}.`))
  const names = [...new Set(offered.flatMap(it => (version.split('.').length > 2 ? it.name : minor(it.name))))]
  if (fits.length === 0) {
    const what = `there is no Kubernetes ${version} in ${region}`
    const why = `Kapsule offers ${offered.map(it => it.name).join(', ')}`
    return { field: 'version', what, why, next: `take one of ${closest(version, names).join(', ')}` }
  }
  const cnis = [...new Set(fits.flatMap(it => it.availableCnis as string[]))]
  if (cnis.includes(cni)) return null
  const what = `Kubernetes ${version} does not come with ${cni} in ${region}`
  return {
    field: 'cni',
    what,
    why: `it comes with ${cnis.join(', ')}`,
    next: `take one of ${closest(cni, cnis).join(', ')}`,
  }
}

const minor = (version: string) => version.split('.', 2).join('.')

/** Names of pools are unique in their cluster, also against those that somebody else made. */
export const checkPoolName: Check = async ({ step, want, scaleway }) => {
  const { clusterId, name } = want
  if (typeof clusterId !== 'string' || step.change.action !== 'create') return []
  const pools = await scaleway.lists.shared(`pool ${clusterId}`, () => listPools(scaleway, clusterId))
  const other = pools.find(it => it.name === name && it.status !== 'deleting' && !isOurs(scaleway, it))
  if (!other) return []
  const what = `there is a pool ${name} in the cluster already, and it is not ours`
  const why = `${other.id} has the name, and lacks the tags of this context`
  return [{ step: step.id, field: 'name', what, why, next: 'name ours differently' }]
}
