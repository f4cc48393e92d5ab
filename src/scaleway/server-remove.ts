import { Problem } from '../engine/problem.ts'
import type { Scaleway } from './client.ts'
import { consoleLink } from './console.ts'
import { discard } from './make.ts'
import { insist, until, type Waiter } from './poll.ts'
import { isDoubtful, isInUse, orNull, statusOf } from './problems.ts'
import { removeStrayVolumes, removeVolume, trackVolumes, volumeIdsOf } from './root-volume.ts'
import { states } from './states.ts'

/** Deletes a server, then its root volume, which only comes free when the server is gone. */
export const removeServer = async (
  scaleway: Scaleway,
  serverId: string,
  name: string,
  report: Waiter,
): Promise<void> => {
  const { instance } = scaleway
  const get = async () => (await orNull(instance.getServer({ serverId })))?.server ?? null
  const server = await get()
  // Gone since it was listed, by a run that did not live to see it: what it leaves is told by its tags alone.
  if (!server) return removeStrayVolumes(scaleway, name, [], report)
  if (server.protected)
    throw new Problem(`server ${name} is protected at Scaleway`, {
      why: `${serverId} cannot be turned off or deleted while it is`,
      next: `take protect: true out of the inventory and deploy, or switch it off at ${consoleLink('server', server)}`,
    })
  const volumes = volumeIdsOf(server)
  // Tagged before the server goes: a crash between the two deletions must not lose them.
  await trackVolumes(scaleway, name, volumes, report)
  const what = `server ${name}`
  const wait = {
    what,
    look: get,
    state: (it: { state: string }) => it.state,
    states: states.server,
    bad: ['locked'],
    withinMs: scaleway.deadlines.server,
  }
  let doubted = false
  await insist(report, {
    what: `${what}: waiting until it can be deleted`,
    act: async () => {
      const now = await until(report, { ...wait, good: ['running', 'stopped', 'stopped in place', 'gone'] })
      if (now?.state === 'running') await discard(instance.serverAction({ serverId, action: 'terminate' }))
      if (now?.state === 'stopped') await discard(instance.deleteServer({ serverId }))
      if (now?.state === 'stopped in place') {
        await discard(instance.serverAction({ serverId, action: 'poweroff' }))
        await until(report, { ...wait, good: ['stopped', 'gone'] })
        await discard(instance.deleteServer({ serverId }))
      }
    },
    // Every try looks first, so one whose answer was lost does no harm; a look may be old, and then the API says 400.
    passing: error => {
      doubted ||= isDoubtful(error)
      return isInUse(error) || isDoubtful(error) || (doubted && statusOf(error) === 400)
    },
    withinMs: scaleway.deadlines.server,
  })
  await until(report, { ...wait, good: ['gone'] })
  for (const volumeId of volumes) await removeVolume(scaleway, volumeId, report)
}
