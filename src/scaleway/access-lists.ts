import type { Scaleway } from './client.ts'
import { isDoubtful, isTransient, orNull } from './problems.ts'

/** An entry of an ACL. `range`: as the API tells it. */
type Entry = { range: string; description: string }

type List = { provider: 'scaleway-rdb'; instance: string; region?: string } | { provider: 'kapsule'; cluster: string; region?: string } // biome-ignore format: one line

/**
 * Who may reach a Managed Database, or the API server of a cluster, entry by entry: for lists that are not ours alone.
 * The ACL of the context's own cluster is kept whole elsewhere (cluster-acl.ts).
 */
export const accessList = (open: () => Promise<Scaleway>, of: List) => ({
  ...(of.provider === 'kapsule' ? ofCluster(open, of) : ofDatabase(open, of)),
  passing: (error: unknown) => isTransient(error) || isDoubtful(error),
})

const ofDatabase = (open: () => Promise<Scaleway>, { instance, region }: Extract<List, { instance: string }>) => {
  const where = { instanceId: instance, ...(region !== undefined && { region }) }
  // A rule that denies is no way in.
  const rules = async () =>
    (await (await open()).rdb.listInstanceACLRules(where).all()).filter(it => it.action !== 'deny')
  return {
    list: async (): Promise<Entry[]> =>
      (await rules()).map(({ ip, description }) => ({ range: withMask(ip), description })),
    async add({ range, description }: Entry) {
      const { rdb } = await open()
      await rdb.addInstanceACLRules({ ...where, rules: [{ ip: range, description }] })
    },
    async remove(range: string) {
      const aclRuleIps = (await rules()).map(it => it.ip).filter(it => withMask(it) === range)
      const { rdb } = await open()
      if (aclRuleIps.length > 0) await rdb.deleteInstanceACLRules({ ...where, aclRuleIps })
    },
  }
}

/** A rule for all ranges of Scaleway at once is no entry: it lets nobody of ours in, and stays. */
const ofCluster = (open: () => Promise<Scaleway>, { cluster, region }: Extract<List, { cluster: string }>) => {
  const where = { clusterId: cluster, ...(region !== undefined && { region }) }
  const rules = async () =>
    (await (await open()).k8s.listClusterACLRules(where).all()).flatMap(({ id, ip, description }) =>
      ip ? [{ id, range: withMask(ip), description }] : [],
    )
  return {
    list: async (): Promise<Entry[]> => (await rules()).map(({ range, description }) => ({ range, description })),
    async add({ range, description }: Entry) {
      const { k8s } = await open()
      await k8s.addClusterACLRules({ ...where, acls: [{ ip: range, description }] })
    },
    async remove(range: string) {
      const { k8s } = await open()
      for (const { id } of (await rules()).filter(it => it.range === range))
        await orNull(k8s.deleteACLRule({ aclId: id, ...(region !== undefined && { region }) }))
    },
  }
}

const withMask = (range: string): string => (range.includes('/') ? range : `${range}/${range.includes(':') ? 128 : 32}`)
