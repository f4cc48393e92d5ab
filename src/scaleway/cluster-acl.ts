import type { K8Sv1 } from '@scaleway/sdk'
import { word } from '../engine/desired.ts'
import type { Kind } from '../engine/kind.ts'
import { create, field, update } from './changes.ts'
import type { Scaleway } from './client.ts'
import { arrive, become, insist, type Waiter } from './poll.ts'
import { isDoubtful, isTransient, orNull } from './problems.ts'
import { states } from './states.ts'

/** `allow`: who may knock at the API server. `nodesFrom`: the address that nodes without a public one come from. */
export type ClusterAclWant = { clusterId: string; allow: string[]; nodesFrom: string | null }
export type ClusterAclLive = { clusterId: string; allow: string[] }

/** All ranges of Scaleway at once; nothing that we would ask for, but a hand may. */
const scalewayRanges = 'all of Scaleway'

const live = (clusterId: string, rules: K8Sv1.ACLRule[]): ClusterAclLive => ({
  clusterId,
  allow: inOrder(rules.map(it => (it.scalewayRanges ? scalewayRanges : (it.ip ?? '')))),
})

const list = ({ k8s }: Scaleway, clusterId: string) => k8s.listClusterACLRules({ clusterId }).all()

/** Who may reach the API server of a cluster of ours. It is born open to the world. */
export const clusterAclKind: Kind<ClusterAclWant, ClusterAclLive, Scaleway> = {
  name: 'cluster-acl',
  takes: { update: 5 },
  async read({ clusterId }, scaleway) {
    const rules = await orNull(scaleway.lists.shared(`cluster-acl ${clusterId}`, () => list(scaleway, clusterId)))
    return rules && live(clusterId, rules)
  },
  diff(want, live) {
    if (!live) return create('cluster ACL')
    return update('cluster ACL', [field('allow', live.allow, rangesOf(want))])
  },
  apply: (want, scaleway, _live, report) => bring(scaleway, want.clusterId, rangesOf(want), report),
  /** It goes with its cluster. */
  async undo({ clusterId }, scaleway, before, _now, report) {
    if (before && (await orNull(scaleway.k8s.getCluster({ clusterId }))))
      await bring(scaleway, clusterId, before.allow, report)
  },
}
export const clusterAcl = word(clusterAclKind)

const rangesOf = ({ allow, nodesFrom }: ClusterAclWant): string[] =>
  inOrder(nodesFrom === null ? allow : [...allow, nodesFrom])

/** One spelling: an address with its mask, each once, sorted. */
const inOrder = (all: string[]): string[] => [...new Set(all.map(withMask))].sort()
const withMask = (range: string): string =>
  range.includes('/') || range === scalewayRanges ? range : `${range}/${range.includes(':') ? 128 : 32}`

const bring = async (
  scaleway: Scaleway,
  clusterId: string,
  allow: string[],
  report: Waiter,
): Promise<ClusterAclLive> => {
  const { k8s, deadlines } = scaleway
  const what = 'cluster ACL'
  const quiet = {
    what,
    look: () => orNull(k8s.getCluster({ clusterId })),
    state: (it: K8Sv1.Cluster) => it.status,
    states: states.cluster,
    withinMs: deadlines.cluster,
  }
  await insist(report, {
    what: `${what}: the cluster is busy`,
    act: async () => {
      await become(report, quiet)
      const acls = allow.map(it => (it === scalewayRanges ? { scalewayRanges: true } : { ip: it }))
      await k8s.setClusterACLRules({ clusterId, acls: acls.map(it => ({ ...it, description: 'kapsule-egress' })) })
    },
    // All rules are put at once, so twice does no harm.
    passing: error => isTransient(error) || isDoubtful(error),
    withinMs: deadlines.cluster,
  })
  await become(report, quiet)
  const rules = await arrive(report, {
    what,
    look: () => orNull(list(scaleway, clusterId)),
    state: () => 'ready',
    states: { ready: 'good' },
    withinMs: deadlines.cluster,
    arrived: it => live(clusterId, it).allow.join() === inOrder(allow).join(),
  })
  return live(clusterId, rules)
}
