import { word } from '../engine/desired.ts'
import type { Kind } from '../engine/kind.ts'
import { create } from './changes.ts'
import type { Scaleway } from './client.ts'
import { discard, makeOnce } from './make.ts'
import { contextTag, tagsOf, theOne } from './tags.ts'

export type FlexibleIpWant = { name: string }
export type FlexibleIpLive = { id: string; address: string }

const list = ({ instance, projectId, context }: Scaleway) =>
  instance.listIps({ project: projectId, tags: [contextTag(context)] }).all()

const shared = (scaleway: Scaleway) => scaleway.lists.shared('flexible-ip', () => list(scaleway))

const live = ({ id, address }: FlexibleIpLive): FlexibleIpLive => ({ id, address })

/** The fixed public address of a server: what partners put on their allowlists, so it outlives the server. */
export const flexibleIpKind: Kind<FlexibleIpWant, FlexibleIpLive, Scaleway> = {
  name: 'flexible-ip',
  ahead: shared,
  async read({ name }, scaleway) {
    const found = theOne(scaleway, 'flexible IP', name, await shared(scaleway))
    return found && live(found)
  },
  diff: ({ name }, live) => (live ? null : create(`flexible IP ${name}`)),
  async apply({ name }, scaleway, _live, report) {
    const made = await makeOnce(report, {
      look: async () => theOne(scaleway, 'flexible IP', name, await list(scaleway)),
      make: async () => {
        const { ip } = await scaleway.instance.createIp({
          project: scaleway.projectId,
          type: 'routed_ipv4',
          tags: tagsOf(scaleway, name),
        })
        if (!ip) throw new Error('an IP was made and not answered')
        return ip
      },
    })
    return live(made)
  },
  async undo(want, scaleway, before, now, report) {
    if (before) return
    const there = now ?? (await flexibleIpKind.read(want, scaleway, report))
    if (there) await removeFlexibleIp(scaleway, there.id)
  },
}
export const flexibleIp = word(flexibleIpKind)

export const removeFlexibleIp = ({ instance }: Scaleway, id: string): Promise<void> =>
  discard(instance.deleteIp({ ip: id }))
