import { type Answer, noContent, ok } from './answer.ts'
import type { Conditions } from './conditions.ts'
import type { createTrace } from './trace.ts'
import type { Weather } from './weather.ts'

type Controlled = { weather: Weather; trace: ReturnType<typeof createTrace> }

/** What the emulator is asked about itself, without a key: its weather, and what it was called. Null: no such door. */
export const control =
  ({ weather, trace }: Controlled) =>
  (method: string, path: string, body: () => unknown): Answer | null => {
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
