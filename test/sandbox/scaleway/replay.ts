import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bindings, differences, fill, type Shape } from './shapes.ts'

/** One recorded request with what its answer looked like; `times` it was sent and answered so in a row. */
export type Interaction = {
  ask: string
  send?: unknown
  status: number
  type?: string
  headers?: string[]
  shape?: number
  times?: number
}

/** `day`: when it was recorded, year-month-day. */
export type Recording = { day: string; interactions: Interaction[]; shapes: Shape[] }

export const recording = (name: string): Recording =>
  JSON.parse(readFileSync(new URL(`recorded/${name}.json`, import.meta.url), 'utf8'))

/** How one interaction was answered: `wrong` is empty when as recorded. */
export type Outcome = { ask: string; count: number; wrong: string[] }

/** What brings about an answer that was recorded alone: by request; it may bind its ids, or send it as someone else. */
export type Before = Record<string, (bindings: Bindings) => Promise<{ token?: string }>>

type Options = {
  before?: Before
  url: string
  token: string
  project: string
  pollMs?: number
  longestMs?: number
}

/**
 * Sends what was sent, in the order in which it took effect, and waits as the recorder did: a GET is repeated until it
 * answers what was seen, at most `longestMs`. Other requests are sent once.
 */
export const replay = async ({ interactions, shapes }: Recording, options: Options): Promise<Outcome[]> => {
  const bindings: Bindings = new Map([['{project:1}', options.project]])
  const outcomes: Outcome[] = []
  for (const it of orderOfEffect(interactions)) {
    const count = it.times ?? 1
    const given = await options.before?.[it.ask]?.(bindings)
    let wrong: string[] = []
    for (let sent = 0; sent < count && wrong.length === 0; sent++)
      wrong = await settle(it, shapes, bindings, { ...options, ...given })
    outcomes.push({ ask: it.ask, count, wrong })
  }
  return outcomes
}

const settle = async (it: Interaction, shapes: Shape[], bindings: Bindings, options: Options): Promise<string[]> => {
  const { pollMs = 10, longestMs = 16_000 } = options
  for (const end = Date.now() + longestMs; ; ) {
    const mine = new Map(bindings)
    const wrong = await compare(it, shapes, mine, options)
    const last = wrong.length === 0 || !it.ask.startsWith('GET ') || Date.now() > end
    if (last) {
      for (const [symbol, id] of mine) if (!bindings.has(symbol)) bindings.set(symbol, id)
      return wrong
    }
    await sleep(pollMs)
  }
}

const compare = async (it: Interaction, shapes: Shape[], bindings: Bindings, { url, token }: Options) => {
  const [method, target] = it.ask.split(' ') as [string, string]
  const response = await fetch(`${url}${fill(target, bindings)}`, {
    method,
    headers: { 'x-auth-token': token },
    ...(it.send === undefined ? {} : { body: bodyOf(it.send, bindings) }),
  })
  const text = await response.text()
  const type = response.headers.get('content-type') ?? undefined
  const wrong: string[] = []
  if (response.status !== it.status) wrong.push(`status ${response.status}, not ${it.status}: ${text.slice(0, 200)}`)
  else if (type !== it.type) wrong.push(`content type ${type}, not ${it.type}`)
  for (const name of it.headers ?? []) if (!response.headers.has(name)) wrong.push(`header ${name} is missing`)
  if (wrong.length) return wrong
  if (it.shape === undefined) return text === '' ? [] : [`body ${text.slice(0, 200)}, not empty`]
  return differences(shapes[it.shape]!, type === 'application/json' ? JSON.parse(text) : text, bindings)
}

const bodyOf = (send: unknown, bindings: Bindings): string =>
  fill(typeof send === 'string' ? send : JSON.stringify(send), bindings)

/**
 * A request refused because the resource was busy was overlapped by the one that made it so, though its answer came
 * first: that one took effect before it.
 */
const orderOfEffect = (interactions: Interaction[]): Interaction[] => {
  const all = [...interactions]
  for (const [index, it] of all.entries()) {
    const next = all[index + 1]
    if (it.status === 409 && next?.ask === it.ask && next.status < 300) [all[index], all[index + 1]] = [next, it]
  }
  return all
}
