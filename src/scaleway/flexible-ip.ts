import type { Instancev1 } from '@scaleway/sdk'
import { word } from '../engine/desired.ts'
import type { Change, Kind } from '../engine/kind.ts'
import { create, fixed, replace, update } from './changes.ts'
import type { Scaleway } from './client.ts'
import { discard, makeOnce } from './make.ts'
import { refuseOrphan } from './orphan.ts'
import { clearWay, refuseReturn } from './replaced.ts'
import { contextTag, lostTags, mendTags, tagChange, tagsOf, theOne, type Untagged } from './tags.ts'
import { findZoned, inZones, listHere } from './zones.ts'

export type FlexibleIpWant = { name: string; zone?: string }
export type FlexibleIpLive = Untagged & { id: string; address: string; zone?: string }

const list = ({ instance, lists, projectId, context, zone }: Scaleway, tags = [contextTag(context)]) =>
  lists.next(`flexible-ip ${zone} ${tags}`, () => instance.listIps({ project: projectId, tags }).all())

const shared = (scaleway: Scaleway) => listHere(scaleway, 'flexible-ip', here => list(here))

const live = ({ id, address, zone }: Instancev1.Ip): FlexibleIpLive => ({ id, address, zone })

/** The fixed public address of a server: what partners put on their allowlists, so it outlives the server. */
export const flexibleIpKind: Kind<FlexibleIpWant, FlexibleIpLive, Scaleway> = {
  name: 'flexible-ip',
  ahead: shared,
  async read({ name }, scaleway, report) {
    const pick = (all: Instancev1.Ip[]) => pickIp(scaleway, name, all)
    const found = await findZoned(scaleway, 'instance', 'flexible-ip', here => list(here), pick)
    if (!found)
      return refuseOrphan(scaleway, report, 'flexible IP', name, tags =>
        inZones(scaleway, scaleway.zones, here => list(here, tags)),
      )
    return { ...live(found), ...lostTags(scaleway, name, found.tags) }
  },
  diff(want, live) {
    const what = `flexible IP ${want.name}`
    return live ? (replacement(want, live) ?? update(what, [tagChange(live)])) : create(what)
  },
  async apply(want, scaleway, before, report) {
    const { name } = want
    const here = scaleway.at(want.zone)
    const stays = await clearWay(before, before && replacement(want, before), report, id =>
      removeFlexibleIp(scaleway.at(before?.zone), id),
    )
    const made = await makeOnce(report, {
      look: async () => pickIp(scaleway, name, (await list(here)).filter(stays)),
      make: async () => {
        const { ip } = await here.instance.createIp({
          project: scaleway.projectId,
          type: 'routed_ipv4',
          tags: tagsOf(scaleway, name),
        })
        if (!ip) throw new Error('an IP was made and not answered')
        return ip
      },
    })
    await mendTags(scaleway, name, made.tags, tags => here.instance.updateIp({ ip: made.id, tags }))
    return live(made)
  },
  async undo(want, scaleway, before, now, report) {
    const there = now ?? (await flexibleIpKind.read(want, scaleway, report))
    if (before) refuseReturn(`flexible IP ${want.name}`, before, there)
    else if (there) await removeFlexibleIp(scaleway.at(there.zone), there.id)
  },
}
export const flexibleIp = word(flexibleIpKind)

/**
 * An address has no name of its own: where none carries the name tag, one that lost its tag is known by the server that
 * has it. A server of several tenants has several, so those go by their tags alone.
 */
const pickIp = (scaleway: Scaleway, name: string, all: Instancev1.Ip[]): Instancev1.Ip | null =>
  theOne(scaleway, 'flexible IP', name, all) ??
  theOne(
    scaleway,
    'flexible IP',
    name,
    all.map(it => (it.server ? { ...it, name: it.server.name } : it)),
  )

const replacement = (want: FlexibleIpWant, live: FlexibleIpLive): Change | null =>
  replace(`flexible IP ${want.name}`, [
    fixed('zone', live.zone, want.zone ?? live.zone, 'an address belongs to its zone: partners will see a new one'),
  ])

export const removeFlexibleIp = ({ instance }: Scaleway, id: string): Promise<void> =>
  discard(instance.deleteIp({ ip: id }))

export { shared as sharedFlexibleIps }
