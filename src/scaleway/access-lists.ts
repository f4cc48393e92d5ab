import type { Scaleway } from './client.ts'
import { isDoubtful, isTransient, orNull } from './problems.ts'

/** An entry of an ACL. `range`: as the API tells it. */
type Entry = { range: string; description: string }

type Where = { region?: string }
type List = Where & ({ provider: 'scaleway-rdb'; instance: string } | { provider: 'kapsule'; cluster: string })

/** A database or a cluster is busy with each change for a while. */
const SETTLED_MS = 300_000
const BUSY = ['creating', 'provisioning', 'initializing', 'configuring', 'updating', 'restarting']

/**
 * Who may reach a Managed Database, or the API server of a cluster, entry by entry: for lists that are not ours alone.
 * A list is told once what it says is in force. The ACL of the context's own cluster is kept whole elsewhere.
 */
export const accessList = (open: () => Promise<Scaleway>, of: List) => ({
  ...(of.provider === 'kapsule' ? ofCluster(open, of.cluster, of) : ofDatabase(open, of.instance, of)),
  passing: (error: unknown) => error instanceof Busy || isTransient(error) || isDoubtful(error),
  withinMs: SETTLED_MS,
})

const ofDatabase = (open: () => Promise<Scaleway>, instanceId: string, { region }: Where) => {
  const where = { instanceId, ...(region !== undefined && { region }) }
  // A rule that denies is no way in.
  const rules = async () =>
    (await (await open()).rdb.listInstanceACLRules(where).all()).filter(it => it.action !== 'deny')
  return {
    async list(): Promise<Entry[]> {
      const all = await rules()
      refuseBusy((await (await open()).rdb.getInstance(where)).status)
      return all.map(({ ip, description }) => ({ range: withMask(ip), description }))
    },
    async add({ range, description }: Entry) {
      const { rdb } = await open()
      await rdb.addInstanceACLRules({ ...where, rules: [{ ip: range, description }] })
    },
    async remove(range: string) {
      const { rdb } = await open()
      const aclRuleIps = (await rules()).map(it => it.ip).filter(it => withMask(it) === range)
      if (aclRuleIps.length > 0) await rdb.deleteInstanceACLRules({ ...where, aclRuleIps })
    },
  }
}

/** A rule for all ranges of Scaleway at once is no entry: it lets nobody of ours in, and stays. */
const ofCluster = (open: () => Promise<Scaleway>, clusterId: string, { region }: Where) => {
  const where = { clusterId, ...(region !== undefined && { region }) }
  const rules = async () =>
    (await (await open()).k8s.listClusterACLRules(where).all()).flatMap(({ id, ip, description }) =>
      ip ? [{ id, range: withMask(ip), description }] : [],
    )
  return {
    async list(): Promise<Entry[]> {
      const all = await rules()
      refuseBusy((await (await open()).k8s.getCluster(where)).status)
      return all.map(({ range, description }) => ({ range, description }))
    },
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

/** What it says may not be in force yet. */
class Busy extends Error {}

const refuseBusy = (status: string) => {
  if (BUSY.includes(status)) throw new Busy(`it is ${status}`)
}

const withMask = (range: string): string => (range.includes('/') ? range : `${range}/${range.includes(':') ? 128 : 32}`)
