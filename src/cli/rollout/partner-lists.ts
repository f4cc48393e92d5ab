import type { Site } from '../../../playbooks/site.ts'
import type { Plan } from '../../engine/plan.ts'
import type { Context } from '../../inventory/context.ts'
import { narrowTable } from '../../report/table.ts'
import type { Want as Addition } from '../../rollout/allowlist/addition.ts'
import { showFirewall } from '../../rollout/allowlist/firewall.ts'
import type { Live as Leftovers } from '../../rollout/allowlist/leftovers.ts'
import type { Want as Removal } from '../../rollout/allowlist/removal.ts'

/** How far a tenant's partner is. `ours`: are all our addresses let in? `toGo`: entries that are still there. */
type PartnerList = { tenant: string; list: string; ours: 'in' | 'missing' | 'unclear'; toGo: string[] }

/** What was seen of the lists of partners, without a look more. */
export const partnerLists = (
  { phases }: Site,
  { seen }: Plan,
  { tenants }: Pick<Context, 'tenants'>,
): PartnerList[] => {
  const ids = phases.flatMap(it => it.desired).map(it => it.id)
  return tenants.flatMap(({ tenant }): PartnerList[] => {
    const door = seen.get(`allowlist-addition/${tenant}`)
    if (!door) return []
    const ours = door.live === null ? 'unclear' : door.step ? 'missing' : 'in'
    const removals = ids.filter(it => it.startsWith(`allowlist-removal/${tenant}/`))
    const old = removals.flatMap(it => {
      const found = seen.get(it)
      return found?.step && found.live ? [(found.want as unknown as Removal).range] : []
    })
    const left = seen.get(`allowlist-leftovers/${tenant}`)?.live as unknown as Leftovers | null | undefined
    const toGo = [...old, ...(left?.entries ?? []).map(it => it.range)]
    return [{ tenant, list: showFirewall((door.desired.want as unknown as Addition).firewall), ours, toGo }]
  })
}

export const partnerTable = (lists: readonly PartnerList[]): string =>
  narrowTable(
    ['tenant', "partner's list", 'our addresses', 'still to go'],
    lists.map(it => [it.tenant, it.list, it.ours, it.toGo.join(' ') || '-']),
  )
