import type { Scaleway } from './client.ts'
import { discard } from './make.ts'
import { insist, until, type Waiter } from './poll.ts'
import { isDoubtful, isInUse, orNull } from './problems.ts'
import { removeVolume, trackVolumes, volumeIdsOf } from './root-volume.ts'

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
  if (!server) return
  const volumes = volumeIdsOf(server)
  // Tagged before the server goes: a crash between the two deletions must not lose them.
  await trackVolumes(scaleway, name, volumes)
  const what = `server ${name}`
  const state = (it: { state: string }) => it.state
  await insist(report, {
    what: `${what}: waiting until it can be deleted`,
    act: async () => {
      const good = ['running', 'stopped', 'stopped in place', 'gone']
      const now = await until(report, {
        what,
        look: get,
        state,
        good,
        bad: ['locked'],
        withinMs: scaleway.deadlines.server,
      })
      if (now?.state === 'running') await discard(instance.serverAction({ serverId, action: 'terminate' }))
      if (now?.state === 'stopped') await discard(instance.deleteServer({ serverId }))
      if (now?.state === 'stopped in place') {
        await discard(instance.serverAction({ serverId, action: 'poweroff' }))
        await until(report, { what, look: get, state, good: ['stopped', 'gone'], withinMs: scaleway.deadlines.server })
        await discard(instance.deleteServer({ serverId }))
      }
    },
    // Every try looks first, so one whose answer was lost does no harm.
    passing: error => isInUse(error) || isDoubtful(error),
    withinMs: scaleway.deadlines.server,
  })
  await until(report, { what, look: get, state, good: ['gone'], bad: ['locked'], withinMs: scaleway.deadlines.server })
  for (const volumeId of volumes) await removeVolume(scaleway, volumeId, report)
}
