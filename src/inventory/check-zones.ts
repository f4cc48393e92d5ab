import type { Path } from './document.ts'
import { proxiesAt } from './proxies.ts'
import type { Say } from './say.ts'
import type { ContextFile } from './schema-context.ts'
import type { TenantFile } from './schema-tenant.ts'
import type { Parts } from './validate.ts'
import { zonesOf } from './words.ts'

/** A private network and a cluster are of one region, so what is in them may choose its zone there and nowhere else. */
export const checkZones = ({ scaleway, gateway, cluster }: Parts<ContextFile>, say: Say) => {
  checkZone(['gateway', 'zone'], gateway?.zone, scaleway?.region, say)
  for (const [at, pool] of (cluster?.pools ?? []).entries())
    checkZone(['cluster', 'pools', at, 'zone'], pool?.zone, scaleway?.region, say)
}

export const checkTenantZones = ({ scaleway }: Parts<ContextFile>, tenant: Parts<TenantFile>, say: Say) => {
  checkZone(['pool', 'zone'], tenant.pool?.zone, scaleway?.region, say)
  for (const { path, proxy } of proxiesAt(tenant)) checkZone([...path, 'zone'], proxy.zone, scaleway?.region, say)
}

const checkZone = (path: Path, zone: string | undefined, region: string | undefined, say: Say) => {
  if (!zone || !region || zone.startsWith(`${region}-`)) return
  const why = 'the private network does not leave its region'
  say(path, `zone ${zone} is not in ${region}`, why, `use ${zonesOf(region).join(', ')}`)
}
