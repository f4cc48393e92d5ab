import { addProject } from './account.ts'
import { type Answer, constraint, noContent, ok } from './answer.ts'
import type { Conditions } from './conditions.ts'
import { type Body, text } from './fields.ts'
import type { ScalewayState } from './records.ts'
import type { createTrace } from './trace.ts'
import type { Weather } from './weather.ts'

type Controlled = { state: ScalewayState; weather: Weather; trace: ReturnType<typeof createTrace> }

const uuids = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** What the emulator is asked about itself, without a key: its weather, its projects, and what it was called. Null: no such door. */
export const control =
  ({ state, weather, trace }: Controlled) =>
  (method: string, path: string, body: () => Body): Answer | null => {
    const project = method === 'PUT' && /^\/emulator\/projects\/([^/]+)$/.exec(path)?.[1]
    if (project) {
      if (!uuids.test(project)) throw constraint('project_id', 'must be a UUID')
      addProject({ state }, project, text(body(), 'name'))
      return noContent
    }
    switch (`${method} ${path}`) {
      case 'GET /emulator/calls':
        return ok(trace.counts)
      case 'GET /emulator/trace':
        return ok(trace.calls())
      case 'DELETE /emulator/trace':
        trace.clear()
        return noContent
      case 'GET /emulator/conditions':
        return ok(weather.get())
      case 'PUT /emulator/conditions':
        weather.set(body() as Conditions)
        return ok(weather.get())
      case 'DELETE /emulator/conditions':
        weather.clear()
        return noContent
      default:
        return null
    }
  }
