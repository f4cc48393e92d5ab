import type { Json } from '../engine/json.ts'
import { makePlan } from '../engine/plan.ts'
import { resolve } from '../engine/refs.ts'
import type { HostAddress } from '../hosts/address.ts'
import type { HostPlay } from '../hosts/play.ts'
import { nameOf } from './hosts.ts'
import type { Session } from './session.ts'
import type { Staged } from './staged.ts'
import { hostsAlone, siteOf } from './stages.ts'

/** A proxy, and how it is reached; null: it does not stand yet. */
export type ProxyHost = { name: string; host: HostAddress | null }

/** The proxies of the context's tenants. The cloud is asked where they are, the proxies themselves are asked nothing. */
export const proxiesOf = async (session: Session): Promise<ProxyHost[]> => {
  const { stages, cloud } = siteOf(session)
  const plan = await makePlan(hostsAlone(session.context, ['configure']) ? [] : cloud, session.world)
  return proxiesIn({ site: { stages }, plan })
}

/** The same of what was planned already. */
export const proxiesIn = ({
  site,
  plan,
}: {
  site: Pick<Staged['site'], 'stages'>
  plan: Staged['plan']
}): ProxyHost[] => {
  const lives = new Map([...plan.seen].map(([id, it]) => [id, it.live]))
  return site.stages.configure.map(({ id, want }) => {
    const { value, missing } = resolve((want as unknown as HostPlay).host as unknown as Json, lives)
    return { name: nameOf(id), host: missing.length > 0 ? null : (value as unknown as HostAddress) }
  })
}
