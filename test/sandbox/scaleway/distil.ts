// Distils recorded interactions of the real API into facts that the emulator is held to.
//
//   node test/sandbox/scaleway/distil.ts DIR     reads DIR/*.cassette.yaml, writes recorded/*.json beside this file
//
// What is kept: the requests with ids as symbols, statuses, content types, and the shapes of the answers.
// What is not: ids, dates, addresses, names, prices, sentences, contents of kubeconfigs.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import type { Interaction, Recording } from './replay.ts'
import type { Shape } from './shapes.ts'

type Recorded = {
  request: { method: string; url: string; body?: string }
  response: { code: number; body?: string; headers?: Record<string, string | string[]> }
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const nobody = '00000000-0000-0000-0000-000000000000'
const headersKept = ['link', 'x-total-count', 'x-envoy-ratelimited', 'retry-after']

/** Strings that a client decides by; all others are only strings. */
const words = new Set(
  `action allowed_actions architecture arch argument_name availability boot_type class cni commercial_type
  container_runtime current_state day default_policy direction effect estimator expander family inbound_default_policy
  ingress method nexthop_resource_type node_type outbound_default_policy precondition product_resource_type protocol
  provisioning_mode reason region resiliency resource resource_type root_volume_type state state_detail status type
  volume_type zone user_data`.split(/\s+/),
)

/** Names that the API makes up, as of nodes. */
const made = /^scw-.*-[0-9a-f]{6}$/

const invented = new Set(['name', 'tags', 'description', 'reverse', ''])

/** The rest is recorded for the shape of an error alone. */
const services = /^\/(vpc|vpc-gw|ipam|instance|marketplace|block|k8s|iam|account)\//

/** Lists that get longer and shorter with the years. */
const growing = new Set(['versions', 'available_admission_plugins', 'available_feature_gates'])

/** Objects whose keys are data. */
const maps = new Set(['servers', 'available_kubelet_args'])

const distil = (file: string): Recording => {
  const { interactions } = parse(readFileSync(file, 'utf8')) as { interactions: Recorded[] }
  const known = new Map<string, string>() // id or name of the recording: its symbol
  const counts = new Map<string, number>()
  const sent = new Set<string>()
  const answered = new Set<string>()
  const asked = new Set(interactions.flatMap(it => [...new URL(it.request.url).searchParams.values()]))
  const mapped = new Map<string, Shape[]>() // by key: pages of a map share their members' shapes
  const shapes: Shape[] = []
  const rows: Interaction[] = []

  const symbol = (value: string, about: string): string => {
    if (!known.has(value)) {
      const count = (counts.get(about) ?? 0) + 1
      counts.set(about, count)
      known.set(value, `{${about}:${count}}`)
    }
    return known.get(value)!
  }
  const ids = (text: string, about: string) => text.replaceAll(uuid, it => (it === nobody ? it : symbol(it, about)))

  /** Names, tags and the like that a recorder made up: another value, the same one for the same. */
  const symbolFree = (value: string, key: string) => {
    if (value === '') return ''
    sent.add(value)
    return symbol(`${key} ${value}`, key).replaceAll(/[{}]/g, '').replace(':', '-')
  }

  const ofRequest = (value: unknown, key: string): unknown => {
    if (Array.isArray(value)) return value.map(it => ofRequest(it, key))
    if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, ofRequest(v, k)]))
    if (typeof value !== 'string') return value
    if (invented.has(key)) return symbolFree(value, key)
    // A name that the API made up, learnt from an earlier answer.
    if (answered.has(value) && !sent.has(value) && made.test(value)) return symbol(value, 'made_up_name')
    sent.add(value)
    return ids(value, aboutKey(key))
  }

  const ofAnswer = (value: unknown, key: string, parent: string): Shape => {
    if (Array.isArray(value)) {
      const all = value.map(it => ofAnswer(it, key, parent))
      return all.length > 3 || growing.has(key) ? { some: distinct(all) } : all
    }
    if (isObject(value)) {
      const entries = Object.entries(value).toSorted(byKey)
      if (maps.has(key)) {
        const shapes = mapped.get(key) ?? []
        mapped.set(key, shapes)
        for (const [, it] of entries) indexOf(shapes, loose(ofAnswer(it, '', key)))
        return { each: shapes }
      }
      return Object.fromEntries(entries.map(([k, it]) => [k, ofAnswer(it, k, key || parent)]))
    }
    if (typeof value === 'number') return 'number'
    if (typeof value !== 'string') return value as boolean | null
    answered.add(value)
    if (asked.has(value) && !sent.has(value) && made.test(value)) return symbol(value, 'made_up_name')
    const whole = value.replace(uuid, '') === '' && value !== ''
    // In recordings the organization has the id of its first project: a coincidence that is no fact.
    if (whole && value !== nobody && !key.startsWith('organization')) return symbol(value, aboutKey(key, parent))
    // The one id that is learnt from inside a longer value: a node's server.
    if (key === 'provider_id') return value.replace(uuid, it => symbol(it, 'server'))
    return words.has(key) ? `=${value}` : 'string'
  }

  for (const { request, response } of interactions) {
    const url = new URL(request.url)
    const parts = url.pathname.split('/')
    const path = parts.map((part, index) => ids(part, aboutKey(parts[index - 1] ?? ''))).join('/')
    const query = [...url.searchParams].map(([key, value]) => `${key}=${ofRequest(value, key)}`).join('&')
    const row: Interaction = { ask: `${request.method} ${path}${query ? `?${query}` : ''}`, status: response.code }
    const body = jsonOf(request.body)
    if (hasContent(body) && services.test(path)) row.send = ofRequest(body, '')
    const headers = lowerCase(response.headers)
    if (headers['content-type']) row.type = headers['content-type']
    const kept = headersKept.filter(it => headers[it] !== undefined)
    if (kept.length) row.headers = kept
    if (response.body) {
      const answer = jsonOf(response.body)
      const collection = parts.filter(it => it && !it.match(uuid)).at(-1) ?? ''
      const shape: Shape = typeof answer === 'string' ? 'string' : ofAnswer(answer, '', collection)
      row.shape = indexOf(shapes, shape)
    }
    const last = rows.at(-1)
    const { times = 1, ...same } = last ?? {}
    if (request.method === 'GET' && last && JSON.stringify(same) === JSON.stringify(row)) last.times = times + 1
    else rows.push(row)
  }
  const day = interactions.map(it => dayOf(lowerCase(it.response.headers).date)).toSorted()[0] ?? ''
  return { day, interactions: rows, shapes }
}

const isObject = (it: unknown): it is Record<string, unknown> =>
  typeof it === 'object' && it !== null && !Array.isArray(it)
const hasContent = (body: unknown) => body !== undefined && !(isObject(body) && Object.keys(body).length === 0)
// `id` first, so that what it is the id of gives it its name.
const byKey = ([a]: [string, unknown], [b]: [string, unknown]) => (a === 'id' ? -1 : b === 'id' ? 1 : a < b ? -1 : 1)
const lowerCase = (headers: Recorded['response']['headers'] = {}): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value].flat()[0]]))

/** Members of a map differ in what they are set to: only types are left. */
const loose = (shape: Shape): Shape => {
  if (Array.isArray(shape)) return shape.map(loose)
  if (typeof shape === 'boolean') return 'boolean'
  if (typeof shape === 'string') return shape.startsWith('=') ? 'string' : shape
  return shape && Object.fromEntries(Object.entries(shape).map(([key, it]) => [key, loose(it)]))
}

const distinct = (all: Shape[]): Shape[] => [...new Map(all.map(it => [JSON.stringify(it), it])).values()]

const indexOf = (shapes: Shape[], shape: Shape): number => {
  const found = shapes.findIndex(it => JSON.stringify(it) === JSON.stringify(shape))
  return found >= 0 ? found : shapes.push(shape) - 1
}

const dayOf = (date: string | undefined) => (date ? new Date(date).toISOString().slice(0, 10) : '')

const jsonOf = (text: string | undefined): unknown => {
  if (!text) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** What an id is called by, from the key or the path segment it stands under. */
const aboutKey = (key: string, parent = ''): string => {
  const word = ['id', '', '0', 'resource_id'].includes(key) ? parent : key
  return singular(word.replace(/_ids?$/, '').replaceAll('-', '_')) || 'id'
}
const singular = (word: string) => word.replace(/s$/, '')

/** One line an interaction and a shape: small, and readable in a review. */
const print = ({ day, interactions, shapes }: Recording) =>
  `{\n"day": ${JSON.stringify(day)},\n"interactions": [\n${interactions.map(it => JSON.stringify(it)).join(',\n')}\n],\n"shapes": [\n${shapes
    .map(it => JSON.stringify(it))
    .join(',\n')}\n]\n}\n`

const directory = process.argv[2]
if (!directory) {
  console.error('usage: distil.ts DIRECTORY-OF-CASSETTES')
  process.exitCode = 2
} else {
  const target = fileURLToPath(new URL('recorded/', import.meta.url))
  for (const file of readdirSync(directory).filter(it => it.endsWith('.cassette.yaml'))) {
    const distilled = distil(join(directory, file))
    writeFileSync(join(target, `${basename(file, '.cassette.yaml')}.json`), print(distilled))
  }
}
