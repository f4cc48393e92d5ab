import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, Refusal } from './answer.ts'
import type { control } from './control.ts'
import type { createTrace } from './trace.ts'
import { faultAnswer, type Weather } from './weather.ts'
import { parseBody, readBody, send } from './wire.ts'

type Behind = {
  weather: Weather
  trace: ReturnType<typeof createTrace>
  door: ReturnType<typeof control>
  /** The route a call belongs to, as it is written down: `/…/servers/:id`. */
  templateOf(method: string, path: string): string
  answer(request: IncomingMessage, url: URL, raw: string): Promise<Answer>
  /** After every write, whatever came of it. */
  changed(): void
  say(what: string): void
}

/** 'cut': nothing, and the connection is gone. */
type Got = Answer | 'cut'

/** Between the socket and the API: weather, trace, and the door for questions about the emulator itself. */
export const createFront = ({ weather, trace, door, templateOf, answer, changed, say }: Behind) => {
  /** What a call gets, whatever is thrown on the way. */
  const settled = async (request: IncomingMessage, work: () => Promise<Answer> | Answer): Promise<Answer> => {
    try {
      return await work()
    } catch (thrown) {
      if (thrown instanceof Refusal) return thrown.answer
      say(`${request.method} ${request.url}: ${thrown instanceof Error ? thrown.stack : thrown}`)
      return { status: 500, body: { type: 'internal', message: 'internal error' } }
    } finally {
      if (request.method !== 'GET') changed()
    }
  }

  /** The one place every request passes: what the weather does to it, before or after its effect. */
  const serve = async (request: IncomingMessage, url: URL, raw: string): Promise<{ got: Got; fault: string }> => {
    const [method, path] = [request.method!, url.pathname]
    const { latencyMs, effect, words } = weather.meet({ method, path })
    if (latencyMs > 0) await sleep(latencyMs)
    const instead = effect && ('cut' in effect ? 'cut' : faultAnswer(effect, method, path))
    const never = effect && ('cut' in effect ? effect.cut === 'before' : !effect.after)
    const got = never ? instead! : await settled(request, () => answer(request, url, raw))
    return { got: instead ?? got, fault: words.join(', ') }
  }

  const receive = async (request: IncomingMessage, response: ServerResponse) => {
    const began = performance.now()
    const at = Date.now()
    const url = new URL(request.url ?? '/', 'http://localhost')
    const { pathname: path, search: query } = url
    const method = request.method!
    const spaced = path.startsWith('/instance/')
    let raw: string
    try {
      raw = await readBody(request)
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown
      return send(response, thrown.answer, spaced)
    }
    if (path.startsWith('/emulator/')) {
      const none: Answer = { status: 404, body: { message: `the emulator has no ${method} ${path}` } }
      return send(response, await settled(request, () => door(method, path, () => parseBody(raw)) ?? none), false)
    }
    const { got, fault } = await serve(request, url, raw)
    const ms = performance.now() - began
    const status = got === 'cut' ? 0 : got.status
    const call = { at, ms, method, path, query: query.slice(1), status, ...(fault ? { fault } : {}) }
    trace.add(call, templateOf(method, path))
    if (got === 'cut') response.destroy()
    else send(response, got, spaced)
  }

  return (request: IncomingMessage, response: ServerResponse): void => {
    // A client that hung up in the middle of its body gets nothing, and asked for nothing.
    receive(request, response).catch(() => response.destroy())
  }
}
