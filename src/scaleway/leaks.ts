import type { Scaleway, Zoned } from './client.ts'
import { consoleLink } from './console.ts'
import { contextTag, isOurs } from './tags.ts'
import { inZones } from './zones.ts'

/**
 * Something that costs or blocks, that nothing uses and nobody tagged: it may have been ours. Told, never touched.
 * `link`: the page of the console that lists it.
 */
export type Leak = { what: string; id: string; name: string; zone?: string; why: string; link: string }

/** Looks through the whole region of the project. */
export const findLeaks = async (scaleway: Scaleway): Promise<Leak[]> => {
  const found = await Promise.all([volumes(scaleway), flexibleIps(scaleway), gatewayIps(scaleway), reserved(scaleway)])
  return found.flat()
}

const everywhere = <T>(scaleway: Scaleway, api: Zoned, list: (here: Scaleway) => Promise<T[]>) =>
  inZones(scaleway, scaleway.zonesOf(api), list)

const untagged = ({ tags }: { tags: string[] }) => tags.length === 0

/** Root volumes are born without tags, under this name, and outlive their servers. */
const volumes = async (scaleway: Scaleway): Promise<Leak[]> => {
  const { projectId } = scaleway
  const all = await everywhere(scaleway, 'instance', ({ block }) =>
    block.listVolumes({ projectId, includeDeleted: false }).all(),
  )
  return all
    .filter(it => untagged(it) && it.references.length === 0 && it.name.endsWith('_sbs_volume_0'))
    .map(({ id, name, zone }) => ({
      what: 'block volume',
      ...{ id, name, zone },
      why: 'a root volume that no server uses',
      link: consoleLink('volume', { id, zone }),
    }))
}

const flexibleIps = async (scaleway: Scaleway): Promise<Leak[]> => {
  const all = await everywhere(scaleway, 'instance', ({ instance }) =>
    instance.listIps({ project: scaleway.projectId }).all(),
  )
  return all
    .filter(it => untagged(it) && !it.server)
    .map(({ id, address, zone }) => ({
      what: 'flexible IP',
      ...{ id, name: address ?? id, zone },
      why: 'no server has it',
      link: consoleLink('flexible IP', { id, zone }),
    }))
}

const gatewayIps = async (scaleway: Scaleway): Promise<Leak[]> => {
  const { projectId } = scaleway
  const all = await everywhere(scaleway, 'gateway', ({ gateway }) => gateway.listIPs({ projectId }).all())
  return all
    .filter(it => untagged(it) && !it.gatewayId)
    .map(({ id, address, zone }) => ({
      what: 'gateway IP',
      ...{ id, name: address, zone },
      why: 'no Public Gateway has it',
      link: consoleLink('gateway IP', { id, zone }),
    }))
}

/** Somebody's reservation in a network of ours: for as long as it is there, the network cannot go. */
const reserved = async (scaleway: Scaleway): Promise<Leak[]> => {
  const { vpc, ipam, projectId, context } = scaleway
  const networks = await vpc.listPrivateNetworks({ projectId, tags: [contextTag(context)] }).all()
  const ours = networks.filter(it => isOurs(scaleway, it))
  const lists = await Promise.all(
    ours.map(async ({ id, name }) => {
      const all = await ipam.listIPs({ privateNetworkId: id, attached: false }).all()
      return all
        .filter(it => untagged(it) && !it.resource)
        .map(it => ({
          what: 'private address',
          ...{ id: it.id, name: it.address },
          why: `kept in private network ${name}, which cannot be deleted before it is released`,
          link: consoleLink('private address', { id: it.id }),
        }))
    }),
  )
  return lists.flat()
}
