import type { Blockv1, Instancev1 } from '@scaleway/sdk'
import type { Scaleway } from './client.ts'
import { discard } from './make.ts'
import { appear, insist, until, type Waiter } from './poll.ts'
import { isInUse, orNull } from './problems.ts'
import { states } from './states.ts'
import { contextTag, isOurs, nameIn, tagsOf } from './tags.ts'

/** Block volumes outlive their server, and are born without tags: untracked they cost money for ever. */
export const volumeIdsOf = (server: Pick<Instancev1.Server, 'volumes'>): string[] =>
  Object.values(server.volumes)
    .filter(it => it.volumeType === 'sbs_volume')
    .map(it => it.id)

export const ourVolumes = async ({ block, lists, projectId, context, zone }: Scaleway): Promise<Blockv1.Volume[]> => {
  const all = await lists.next(`volume ${zone}`, () =>
    block.listVolumes({ projectId, tags: [contextTag(context)], includeDeleted: false }).all(),
  )
  return all.filter(it => isOurs({ context }, it))
}

/** Gives the volumes of a server its tags, before anything can go wrong with the server. */
export const trackVolumes = async (scaleway: Scaleway, name: string, ids: string[], report: Waiter): Promise<void> => {
  const tags = tagsOf(scaleway, name)
  for (const volumeId of ids) {
    const look = () => orNull(scaleway.block.getVolume({ volumeId }))
    const volume = await appear(report, { what: `volume of ${name}`, look })
    if (volume && !tags.every(it => volume.tags.includes(it))) await scaleway.block.updateVolume({ volumeId, tags })
  }
}

/** Volumes of that name which no server of ours holds: what a crash between two deletions leaves. */
export const removeStrayVolumes = async (
  scaleway: Scaleway,
  name: string,
  keep: string[],
  report: Waiter,
): Promise<void> => {
  for (const volume of await ourVolumes(scaleway))
    if (nameIn(volume.tags) === name && !keep.includes(volume.id)) await removeVolume(scaleway, volume.id, report)
}

export const removeVolume = async ({ block, deadlines }: Scaleway, volumeId: string, report: Waiter): Promise<void> => {
  const what = `volume ${volumeId}`
  const wait = {
    what,
    look: () => orNull(block.getVolume({ volumeId })),
    state: (it: Blockv1.Volume) => it.status,
    states: states.volume,
    withinMs: deadlines.volume,
  }
  const free = await until(report, { ...wait, good: ['available', 'error', 'gone'] })
  if (!free) return
  await insist(report, {
    what: `${what}: waiting until it is free`,
    act: () => discard(block.deleteVolume({ volumeId })),
    passing: isInUse,
    withinMs: deadlines.volume,
  })
  await until(report, { ...wait, good: ['gone', 'deleted'] })
}
