import type { Vpcv2 } from '@scaleway/sdk'
import { word } from '../engine/desired.ts'
import type { Kind } from '../engine/kind.ts'
import { create, field, update } from './changes.ts'
import type { Scaleway } from './client.ts'
import { discard, makeOnce } from './make.ts'
import { refuseOrphan } from './orphan.ts'
import { insist, type Waiter } from './poll.ts'
import { isInUse } from './problems.ts'
import { contextTag, lostTags, mendTags, tagChange, tagsOf, theOne, type Untagged } from './tags.ts'

export type VpcWant = { name: string }
export type VpcLive = Untagged & { id: string; name: string }

const list = ({ vpc, projectId, context }: Scaleway, tags = [contextTag(context)]) =>
  vpc.listVPCs({ projectId, tags }).all()
const shared = (scaleway: Scaleway) => scaleway.lists.shared('vpc', () => list(scaleway))
export const live = ({ id, name }: Vpcv2.VPC): VpcLive => ({ id, name })

/** A VPC, known by its tags. */
export const vpcKind: Kind<VpcWant, VpcLive, Scaleway> = {
  name: 'vpc',
  ahead: shared,
  holds: true,
  async read({ name }, scaleway, report) {
    const found = theOne(scaleway, 'VPC', name, await shared(scaleway))
    if (!found) return refuseOrphan(scaleway, report, 'VPC', name, tags => list(scaleway, tags))
    return { ...live(found), ...lostTags(scaleway, name, found.tags) }
  },
  diff({ name }, live) {
    if (!live) return create(`VPC ${name}`)
    return update(`VPC ${name}`, [field('name', live.name, name), tagChange(live)])
  },
  async apply({ name }, scaleway, _live, report) {
    const made = await makeOnce(report, {
      look: async () => theOne(scaleway, 'VPC', name, await list(scaleway)),
      make: () => scaleway.vpc.createVPC({ name, tags: tagsOf(scaleway, name), enableRouting: true }),
    })
    await mendTags(scaleway, name, made.tags, tags => scaleway.vpc.updateVPC({ vpcId: made.id, tags }))
    return made.name === name ? live(made) : live(await scaleway.vpc.updateVPC({ vpcId: made.id, name }))
  },
  async undo(want, scaleway, before, now, report) {
    const there = now ?? (await vpcKind.read(want, scaleway, report))
    if (!there) return
    if (!before) return removeVpc(scaleway, there.id, report)
    await scaleway.vpc.updateVPC({ vpcId: before.id, name: before.name })
  },
}
export const vpc = word(vpcKind)

export const removeVpc = (scaleway: Scaleway, id: string, report: Waiter): Promise<void> =>
  insist(report, {
    what: `VPC ${id}: waiting until it is empty`,
    act: () => discard(scaleway.vpc.deleteVPC({ vpcId: id })),
    passing: isInUse,
    withinMs: scaleway.deadlines.network,
  })

export { shared as sharedVpcs }
