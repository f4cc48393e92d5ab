import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isIP } from 'node:net'

export type FirewallRule = { id: string; rule: string; description: string | null }

/** What goes wrong with one of the next calls, before or after its effect; undefined: it goes well. */
type FirewallFault = { status: number; after?: boolean } | undefined

type Options = {
  network: string
  key: string
  rules?: FirewallRule[]
  onChange?(rules: readonly FirewallRule[]): Promise<void> | void
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const newId = () => [...randomBytes(26)].map(it => ALPHABET[it % 32]).join('')

/**
 * The firewall of a partner, as the Crunchy Bridge API tells it: list in pages, create, show, destroy.
 * @see https://docs.crunchybridge.com/api/network-firewall-rule
 */
export const createFirewallRules = ({ network, key, rules: saved = [], onChange = () => undefined }: Options) => {
  let rules = [...saved].map(it => ({ ...it }))
  let faults: FirewallFault[] = []
  const root = `/networks/${network}/firewall-rules`
  const show = (it: FirewallRule) => ({ ...it, network_id: network, team_id: 'sandbox' })
  const change = async (next: FirewallRule[]) => {
    rules = next
    await onChange(rules)
  }
  const act = async (method: string, url: URL, body: string): Promise<[number, object]> => {
    const match = new RegExp(`^${root}(?:/([a-z2-7]+))?$`).exec(url.pathname)
    if (!match) return [404, { message: 'Network not found.' }]
    const id: string | undefined = match[1]
    if (id === undefined && method === 'GET') return [200, page(rules.map(show), url.searchParams)]
    if (id === undefined && method === 'POST') {
      const { rule, description = null } = parse(body)
      const range = cidrOf(rule)
      if (!range) return [400, { message: 'Rule must be a valid CIDR.' }]
      if (rules.some(it => it.rule === range)) return [409, { message: 'Firewall rule already exists.' }]
      const made = { id: newId(), rule: range, description }
      await change([...rules, made])
      return [201, show(made)]
    }
    const found = rules.find(it => it.id === id)
    if (id !== undefined && !found) return [404, { message: 'Firewall rule not found.' }]
    if (found && method === 'GET') return [200, show(found)]
    if (found && method === 'DELETE') {
      await change(rules.filter(it => it !== found))
      return [200, show(found)]
    }
    return [405, { message: 'Method not allowed.' }]
  }
  const answer = async (request: IncomingMessage, path: string, body: string): Promise<[number, object]> => {
    if (request.headers.authorization !== `Bearer ${key}`) return [401, { message: 'Invalid API key.' }]
    const fault = faults.shift()
    if (fault && !fault.after) return [fault.status, { message: 'Something went wrong.' }]
    const done = await act(request.method ?? 'GET', new URL(path, 'http://here'), body)
    return fault ? [fault.status, { message: 'Something went wrong.' }] : done
  }
  return {
    /** `path`: below the API's own root. */
    handle(request: IncomingMessage, response: ServerResponse, path: string): void {
      let body = ''
      request.on('data', data => {
        body += data
      })
      request.on('end', () => {
        void answer(request, path, body)
          .catch((thrown): [number, object] => [500, { message: String(thrown) }])
          .then(([status, value]) => {
            response.writeHead(status, { 'content-type': 'application/json' })
            response.end(JSON.stringify(value))
          })
      })
    },
    rules: (): readonly FirewallRule[] => rules,
    /** All that is let in from now on. */
    set: (ranges: readonly string[]) =>
      change(ranges.map(it => ({ id: newId(), rule: cidrOf(it) ?? it, description: null }))),
    fail(...next: FirewallFault[]) {
      faults = next
    },
  }
}

/** After `cursor`, in the order of ids. */
const page = (all: (FirewallRule & object)[], query: URLSearchParams) => {
  const sorted = [...all].sort((a, b) => (a.id < b.id ? -1 : 1))
  const limit = Math.min(200, Math.max(1, Number(query.get('limit') ?? 100) || 100))
  const cursor = query.get('cursor')
  const after = cursor ? sorted.filter(it => it.id > cursor) : sorted
  const firewall_rules = after.slice(0, limit)
  const has_more = after.length > limit
  return { firewall_rules, has_more, next_cursor: firewall_rules.at(-1)?.id ?? null }
}

/** With its mask; null: it is none. */
const cidrOf = (text: string | undefined): string | null => {
  const [address = '', bits, ...more] = (text ?? '').split('/')
  const most = isIP(address) === 4 ? 32 : isIP(address) === 6 ? 128 : 0
  const mask = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : -1
  return most === 0 || more.length > 0 || mask < 0 || mask > most ? null : `${address}/${mask}`
}

const parse = (body: string): { rule?: string; description?: string | null } => {
  try {
    return JSON.parse(body) as { rule?: string; description?: string | null }
  } catch {
    return {}
  }
}
