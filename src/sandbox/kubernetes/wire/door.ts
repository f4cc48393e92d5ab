import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Caller } from '../admission/rbac.ts'
import { masters } from '../admission/rbac.ts'
import type { Loose } from '../objects/object.ts'
import { badRequest, Refused } from '../objects/status.ts'
import type { Store } from '../objects/store.ts'
import type { Weather } from './weather.ts'

export type Door = {
  weather: Weather
  store: Store
  /** Cuts every connection and serves again after so many ms, with what is stored unchanged. */
  restart(downMs: number): Promise<void>
}

/**
 * `/emulator/...`, for the admin alone: conditions (GET, PUT, DELETE), calls (GET, DELETE), and the acts compact and
 * restart (POST); answers what to send. No real server has it.
 */
export const openDoor = (
  { weather, store, restart }: Door,
  { request, response, path, caller, body }: Visit,
): Loose => {
  if (!caller.groups.includes(masters)) throw new Refused(403, 'Forbidden', `forbidden: only the admin opens ${path}`)
  const asked = `${request.method} ${path.slice('/emulator/'.length)}`
  switch (asked) {
    case 'GET conditions':
      return weather.get()
    case 'PUT conditions':
      weather.set(body ?? {})
      return weather.get()
    case 'DELETE conditions':
      weather.clear()
      return {}
    case 'GET calls':
      return weather.calls()
    case 'DELETE calls':
      weather.forgetCalls()
      return {}
    case 'POST compact':
      store.compact()
      return { version: store.version }
    case 'POST restart': {
      const { downMs = 0, compact = false } = body ?? {}
      if (!(downMs >= 0)) throw badRequest('downMs must be a number of milliseconds')
      if (compact) store.compact()
      response.on('finish', () => void restart(downMs))
      return { downMs }
    }
    default:
      throw new Refused(404, 'NotFound', 'the emulator has conditions, calls, compact and restart')
  }
}

type Visit = { request: IncomingMessage; response: ServerResponse; path: string; caller: Caller; body: Loose }
