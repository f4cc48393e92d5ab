import type { K8Sv1 } from '@scaleway/sdk'
import { word } from '../engine/desired.ts'
import type { Change, Kind } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'
import { create, field, fixed, replace, update } from './changes.ts'
import type { Scaleway } from './client.ts'
import { discard, makeOnce } from './make.ts'
import { refuseOrphan } from './orphan.ts'
import { become, insist, staying, until, type Waiter } from './poll.ts'
import { bodyOf, isInUse, orNull } from './problems.ts'
import { clearWay, refuseReturn } from './replaced.ts'
import { states } from './states.ts'
import { lostTags, mendTags, tagChange, tagsOf, theOne, type Untagged } from './tags.ts'

/** `version`: a minor like 1.34 (the newest patch is taken when it is made) or a full one. */
export type ClusterWant = {
  name: string
  version: string
  cni: string
  privateNetworkId: string
  type?: string
  podCidr?: string
  serviceCidr?: string
}
export type ClusterLive = Untagged & {
  id: string
  name: string
  status: string
  version: string
  cni: string
  type: string
  privateNetworkId: string | null
  podCidr: string
  serviceCidr: string
  dnsIp: string
}

/** This list has no filter for tags. */
export const listClusters = ({ k8s, projectId }: Scaleway): Promise<K8Sv1.Cluster[]> =>
  k8s.listClusters({ projectId }).all()

export const sharedClusters = (scaleway: Scaleway): Promise<K8Sv1.Cluster[]> =>
  scaleway.lists.shared('cluster', () => listClusters(scaleway))

export const live = (it: K8Sv1.Cluster): ClusterLive => ({
  id: it.id,
  name: it.name,
  status: it.status,
  version: it.version,
  cni: it.cni,
  type: it.type || 'kapsule',
  privateNetworkId: it.privateNetworkId ?? null,
  podCidr: it.podCidr,
  serviceCidr: it.serviceCidr,
  dnsIp: it.serviceDnsIp,
})

/** Without a pool a cluster stays at pool_required, and that is a good end: pools are Kinds of their own. */
const good = ['pool_required', 'ready']

/** A Kapsule cluster, known by its tags. */
export const clusterKind: Kind<ClusterWant, ClusterLive, Scaleway> = {
  name: 'cluster',
  ahead: sharedClusters,
  holds: true,
  takes: { create: 5, update: 5, replace: 35, delete: 30 },
  async read({ name }, scaleway, report) {
    const found = theOne(scaleway, 'cluster', name, await sharedClusters(scaleway))
    if (!found) return refuseOrphan(scaleway, report, 'cluster', name, () => sharedClusters(scaleway))
    if (found.status === 'deleting') return null
    return { ...live(found), ...lostTags(scaleway, name, found.tags) }
  },
  diff(want, live) {
    const what = `cluster ${want.name}`
    if (!live) return create(`${what} ${want.version}`)
    const other = replacement(want, live)
    if (other) return other
    if (!isVersion(live.version, want.version))
      throw new Problem(`${what} runs ${live.version}, the inventory says ${want.version}`, {
        why: 'an upgrade restarts the nodes of every tenant, so it is not done in passing',
        next: `upgrade it with Scaleway's tools and then deploy, or write version "${live.version.split('.', 2).join('.')}"`,
        exit: 2,
        of: { step: `cluster/${want.name}`, field: 'version' },
      })
    return update(what, [good.includes(live.status) ? null : field('status', live.status, 'ready'), tagChange(live)])
  },
  async apply(want, scaleway, before, report) {
    const { name, privateNetworkId, podCidr, serviceCidr } = want
    const stays = await clearWay(before, before && replacement(want, before), report, id =>
      removeCluster(scaleway, id, report),
    )
    const made = await makeOnce(report, {
      look: () =>
        staying(report, {
          what: `cluster ${name}`,
          look: async () => theOne(scaleway, 'cluster', name, (await listClusters(scaleway)).filter(stays)),
          state: it => it.status,
          states: states.cluster,
          leaving: ['deleting'],
          withinMs: scaleway.deadlines.cluster,
        }),
      make: async () =>
        scaleway.k8s
          .createCluster({
            name,
            type: want.type || 'kapsule',
            description: '',
            tags: tagsOf(scaleway, name),
            version: await newestPatch(scaleway, want),
            cni: want.cni as K8Sv1.CNI,
            privateNetworkId,
            ...(podCidr && { podCidr }),
            ...(serviceCidr && { serviceCidr }),
          })
          .catch(error => Promise.reject(nameTaken(error, name))),
    })
    await mendTags(scaleway, name, made.tags, tags => scaleway.k8s.updateCluster({ clusterId: made.id, tags }))
    const done = await become(report, {
      what: `cluster ${name}`,
      look: () => orNull(scaleway.k8s.getCluster({ clusterId: made.id })),
      state: it => it.status,
      states: states.cluster,
      withinMs: scaleway.deadlines.cluster,
    })
    return live(done)
  },
  async undo(want, scaleway, before, now, report) {
    const there = now ?? (await clusterKind.read(want, scaleway, report))
    if (before) refuseReturn(`cluster ${want.name}`, before, there)
    else if (there) await removeCluster(scaleway, there.id, report)
  },
}
export const cluster = word(clusterKind)

const replacement = (want: ClusterWant, live: ClusterLive): Change | null => {
  const rule = 'is fixed when a cluster is made'
  return replace(`cluster ${want.name}`, [
    fixed('private network', live.privateNetworkId, want.privateNetworkId, `the private network ${rule}`),
    fixed('cni', live.cni, want.cni, `the network plugin ${rule}`),
    fixed('type', live.type, want.type || 'kapsule', `the type ${rule}`),
    fixed('pod range', live.podCidr, want.podCidr ?? live.podCidr, `the range of pods ${rule}`),
    fixed('service range', live.serviceCidr, want.serviceCidr ?? live.serviceCidr, `the range of services ${rule}`),
  ])
}

const isVersion = (live: string, want: string): boolean => live === want || live.startsWith(`${want}.`)

const newestPatch = async ({ k8s, region }: Scaleway, { version, cni }: ClusterWant): Promise<string> => {
  const { versions } = await k8s.listVersions()
  const found = versions.filter(it => isVersion(it.name, version)).sort((a, b) => patch(b.name) - patch(a.name))[0]
  if (found?.availableCnis.includes(cni as K8Sv1.CNI)) return found.name
  throw new Problem(`there is no Kubernetes ${version} with ${cni} in ${region}`, {
    why: found
      ? `${found.name} has ${found.availableCnis.join(', ')}`
      : `there are ${versions.map(it => it.name).join(', ')}`,
    next: 'correct cluster.version or cluster.cni in context.yaml',
    exit: 2,
  })
}

const patch = (version: string): number => Number(version.split('.')[2] ?? 0)

/** Names of clusters are unique in a project, unlike everywhere else: another's cluster may have ours. */
const nameTaken = (error: unknown, name: string): unknown => {
  if (bodyOf(error).type !== 'already_exists') return error
  return new Problem(`there is a cluster ${name} already, and it is not ours`, {
    why: `cluster ${String(bodyOf(error).resource_id ?? '')} of this name lacks the tags of this context`,
    next: 'name ours differently in context.yaml, or use that one by cluster.kubeconfig',
    exit: 2,
    cause: error,
  })
}

export const removeCluster = async ({ k8s, deadlines }: Scaleway, clusterId: string, report: Waiter): Promise<void> => {
  await insist(report, {
    what: `cluster ${clusterId}: waiting until it can be deleted`,
    // "additional resources" would take the private network with it
    act: () => discard(k8s.deleteCluster({ clusterId, withAdditionalResources: false })),
    passing: isInUse,
    withinMs: deadlines.cluster,
  })
  await until(report, {
    what: `cluster ${clusterId}`,
    look: () => orNull(k8s.getCluster({ clusterId })),
    state: it => it.status,
    states: states.cluster,
    good: ['gone', 'deleted'],
    bad: ['locked'],
    patienceMs: deadlines.cluster / 60,
    withinMs: deadlines.cluster,
  })
}
