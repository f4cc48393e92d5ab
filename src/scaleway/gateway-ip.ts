import { word } from '../engine/desired.ts'
import type { Kind } from '../engine/kind.ts'
import { create } from './changes.ts'
import type { Scaleway } from './client.ts'
import { discard, makeOnce } from './make.ts'
import { insist, type Waiter } from './poll.ts'
import { isInUse } from './problems.ts'
import { contextTag, tagsOf, theOne } from './tags.ts'

export type GatewayIpWant = { name: string }
export type GatewayIpLive = { id: string; address: string }

const list = ({ gateway, projectId, context }: Scaleway) =>
  gateway.listIPs({ projectId, tags: [contextTag(context)] }).all()

const shared = (scaleway: Scaleway) => scaleway.lists.shared('gateway-ip', () => list(scaleway))

const live = ({ id, address }: GatewayIpLive): GatewayIpLive => ({ id, address })

/** A public address for a Public Gateway; servers have a pool of their own. */
export const gatewayIpKind: Kind<GatewayIpWant, GatewayIpLive, Scaleway> = {
  name: 'gateway-ip',
  ahead: shared,
  async read({ name }, scaleway) {
    const found = theOne(scaleway, 'gateway IP', name, await shared(scaleway))
    return found && live(found)
  },
  diff: ({ name }, live) => (live ? null : create(`gateway IP ${name}`)),
  async apply({ name }, scaleway, _live, report) {
    const made = await makeOnce(report, {
      look: async () => theOne(scaleway, 'gateway IP', name, await list(scaleway)),
      make: () => scaleway.gateway.createIP({ tags: tagsOf(scaleway, name) }),
    })
    return live(made)
  },
  async undo(want, scaleway, before, now, report) {
    if (before) return
    const there = now ?? (await gatewayIpKind.read(want, scaleway, report))
    if (there) await removeGatewayIp(scaleway, there.id, report)
  },
}
export const gatewayIp = word(gatewayIpKind)

export const removeGatewayIp = (scaleway: Scaleway, id: string, report: Waiter): Promise<void> =>
  insist(report, {
    what: `gateway IP ${id}: waiting until it is free`,
    act: () => discard(scaleway.gateway.deleteIP({ ipId: id })),
    passing: isInUse,
    withinMs: scaleway.deadlines.address,
  })
