import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Call, Met, Weather } from './weather.ts'
import { refusalOf } from './weather.ts'

/** How long a call without an answer is held, unless it is said; the real one gives up after a minute too. */
const hangMs = 60_000

type Work = {
  /** Does what was asked. With a voice nobody hears the effect happens and its answer is lost. */
  act(heard: boolean, met: Met): Promise<unknown>
  cut(): void
}

/** Does the work as the weather lets it: late, refused, cut off or never answered, before or after its effect. */
export const suffer = async (weather: Weather, call: Call, { act, cut }: Work): Promise<void> => {
  const met = weather.meet(call)
  if (met.latencyMs > 0) await sleep(met.latencyMs, undefined, { ref: false })
  const { effect } = met
  if (!effect) return void (await act(true, met))
  const isAfter = 'status' in effect ? effect.after : 'cut' in effect ? effect.cut === 'after' : effect.hang === 'after'
  // A refusal of its own is lost like any answer.
  if (isAfter && call.verb !== 'watch') await act(false, met).catch(() => {})
  if ('status' in effect) throw refusalOf(effect, call)
  if ('hang' in effect) await sleep(effect.ms ?? hangMs, undefined, { ref: false })
  cut()
}

/** Cuts the connection of a response, whatever was sent of it. */
export const cutOff = (response: ServerResponse) => void response.socket?.destroy()
