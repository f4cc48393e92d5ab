import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Journal } from '../../src/engine/journal.ts'
import type { ServerClients } from '../../src/scaleway/cloud-init.ts'
import { listOwned } from '../../src/scaleway/leftovers.ts'
import { removeAll } from '../scaleway/remove-all.ts'
import { provision } from './provision.ts'
import type { Wished } from './tenants.ts'

/** What a command does to the cloud. */
export type Act = (wished: Wished, clients: ServerClients, journal: Journal, signal?: AbortSignal) => Promise<unknown>

export const deploy: Act = ({ cloud }, clients, journal, signal) => provision(cloud, clients, { journal, signal })

export const destroy: Act = async (_wished, clients, journal) => {
  journal.record({ event: 'undoing', step: 'all' })
  await removeAll(clients, await listOwned(clients), { waiting: () => {}, signal: new AbortController().signal })
}

/** A process that is killed when its n-th call has taken effect: it hears no answer, and calls no more. */
export const dyingAfter = (calls: number) => {
  const end = new AbortController()
  let made = 0
  const send: typeof fetch = async (input, init) => {
    if (end.signal.aborted) throw new Error('killed')
    if (++made < calls) return fetch(input, init)
    await fetch(new Request(input, init), { signal: null }).catch(() => {})
    end.abort(new Error('killed'))
    throw new Error('killed')
  }
  return { send, signal: end.signal }
}
export type Death = ReturnType<typeof dyingAfter>

/** A real process that gets SIGKILL so many ms after it began; true when it had ended by then, and well. */
export const killedAfter = async (ms: number, act: Act, url: string, { root }: Wished): Promise<boolean> => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'driver.ts'), url, root, act.name], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const closed = once(child, 'close')
  try {
    await Promise.race([once(child.stdout, 'data'), closed])
    await Promise.race([sleep(ms), closed])
  } finally {
    child.kill('SIGKILL')
  }
  const [code] = await closed
  return code === 0
}
