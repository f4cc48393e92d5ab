import { createChances, globbed } from '../../chances.ts'
import { badRequest, Refused } from '../objects/status.ts'
import type { Conditions, Effect, On, WatchTrouble } from './conditions.ts'
import { wrongIn } from './conditions.ts'

/** One request as the faults see it. `resource` with its subresource. */
export type Call = { verb: string; resource: string; namespace: string | undefined; name: string | undefined }
export type Met = {
  latencyMs: number
  effect?: Exclude<Effect, { latencyMs: unknown } | { watch: unknown }>
  watch?: WatchTrouble
}

/** The conditions of the moment and the calls that were met. Not saved: a restart of the daemon is fair weather. */
export const createWeather = () => {
  let conditions: Conditions = {}
  let meet = meeting({})
  let calls: Record<string, number> = {}

  const take = (next: Conditions) => {
    conditions = next
    meet = meeting(next)
  }
  return {
    get: (): Conditions => structuredClone(conditions),
    /** Replaces the members that are given, and counts anew. Refuses what it does not understand. */
    set(given: Conditions) {
      const bad = wrongIn(given)
      if (bad.length) throw badRequest(bad.join('; '))
      take({ ...conditions, ...structuredClone(given) })
    },
    clear: () => take({}),
    meet(call: Call): Met {
      const key = `${call.verb} ${call.resource}`
      calls[key] = (calls[key] ?? 0) + 1
      return meet(call)
    },
    /** How often each verb met each resource, refused or not. */
    calls: () => calls,
    forgetCalls() {
      calls = {}
    },
  }
}

export type Weather = ReturnType<typeof createWeather>

const meeting = ({ faults = [], seed = 0 }: Conditions) => {
  const { random, hits } = createChances(faults, seed)
  const matches = faults.map(it => matcher(it.on ?? {}))
  return (call: Call): Met => {
    const met: Met = { latencyMs: 0 }
    for (const [index, { do: effect }] of faults.entries()) {
      // What only a watch can suffer passes other calls by.
      if (('watch' in effect && call.verb !== 'watch') || !matches[index]!(call) || !hits(index)) continue
      if ('latencyMs' in effect) {
        const [from, to] = Array.isArray(effect.latencyMs) ? effect.latencyMs : [effect.latencyMs, effect.latencyMs]
        met.latencyMs += from + random() * (to - from)
      } else if ('watch' in effect) met.watch = { ...met.watch, ...effect.watch }
      else return { ...met, effect }
    }
    return met
  }
}

const matcher = ({ verb, resource, namespace, name }: On) => {
  const among = (given: string | string[] | undefined) => {
    const patterns = given === undefined ? null : [given].flat().map(globbed)
    return (it: string | undefined) => patterns === null || (it !== undefined && patterns.some(its => its.test(it)))
  }
  const [isVerb, isResource, isNamespace, isName] = [verb, resource, namespace, name].map(among)
  return (it: Call) => isVerb!(it.verb) && isResource!(it.resource) && isNamespace!(it.namespace) && isName!(it.name)
}

const words: Record<number, [reason: string, message: string]> = {
  401: ['Unauthorized', 'Unauthorized'],
  403: ['Forbidden', 'forbidden: not now'],
  404: ['NotFound', 'the server could not find the requested resource'],
  409: ['Conflict', 'the object has been modified; please apply your changes to the latest version and try again'],
  410: ['Expired', 'The provided continue parameter is too old to display a consistent list result.'],
  429: ['TooManyRequests', 'Too many requests, please try again later.'],
  500: ['InternalError', 'Internal error occurred: etcdserver: leader changed'],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
  504: ['Timeout', 'Timeout: request did not complete within requested timeout - context deadline exceeded'],
}

/** How a real server says it; the members that were asked for go over that. */
export const refusalOf = (effect: Extract<Effect, { status: number }>, { resource, name }: Call): Refused => {
  const [reason, text] = words[effect.status] ?? ['InternalError', `an error on the server has prevented the request`]
  const subject = resource.split('/')[0]
  const about = effect.status === 409 ? `Operation cannot be fulfilled on ${subject} "${name ?? ''}": ` : ''
  const wait = effect.retryAfterSeconds ?? (effect.status === 429 ? 1 : undefined)
  return new Refused(effect.status, effect.reason ?? reason, effect.message ?? `${about}${text}`, {
    ...(name && { name }),
    kind: subject,
    ...(wait !== undefined && { retryAfterSeconds: wait }),
  })
}
