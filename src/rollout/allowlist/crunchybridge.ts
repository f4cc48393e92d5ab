import { Problem } from '../../engine/problem.ts'
import { rangeOf } from '../../engine/ranges.ts'
import { readToken, type SecretRef } from '../secret-ref.ts'
import type { Entry, Firewall } from './firewall.ts'

type Rule = { id: string; rule: string; description?: string | null }
type Page = { firewall_rules?: Rule[]; has_more?: boolean; next_cursor?: string | null }

const SECONDS = 20
/** Ample for rules: a list that goes on and on is not taken for one. */
const MOST_PAGES = 50

type Options = { network: string; key: SecretRef; url?: string | undefined; onSecret?: (secret: string) => void }

/**
 * The firewall rules of a Crunchy Bridge network.
 * @see https://docs.crunchybridge.com/api/network-firewall-rule
 */
export const crunchyBridge = (
  { network, key, url = 'https://api.crunchybridge.com', onSecret = () => undefined }: Options,
  signal: AbortSignal,
): Firewall => {
  const root = `${url.replace(/\/+$/, '')}/networks/${encodeURIComponent(network)}/firewall-rules`
  const ask = async (method: string, path: string, body?: object): Promise<unknown> => {
    const secret = await readToken(key)
    onSecret(secret)
    const what = `Crunchy Bridge network ${network}`
    let reply: Response
    try {
      reply = await fetch(`${root}${path}`, {
        method,
        headers: { authorization: `Bearer ${secret}`, accept: 'application/json', ...(body && JSON_BODY) },
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(SECONDS * 1000)]),
        ...(body && { body: JSON.stringify(body) }),
      })
      if (reply.ok) return await reply.json()
    } catch (thrown) {
      signal.throwIfAborted()
      const { cause, message } = thrown as Error & { cause?: Error }
      throw new Refused(`${what}: no answer`, 0, (cause?.message ?? message).replaceAll(secret, '***'))
    }
    const text = await reply.text().catch(() => '')
    throw new Refused(
      `${what}: ${method} answered ${reply.status}`,
      reply.status,
      messageIn(text.replaceAll(secret, '***')),
    )
  }
  const rules = async (): Promise<Rule[]> => {
    const all: Rule[] = []
    let cursor: string | null | undefined
    for (let page = 0; page < MOST_PAGES; page++) {
      const found = (await ask('GET', `?limit=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`)) as Page
      if (!Array.isArray(found.firewall_rules)) throw new Refused(`Crunchy Bridge network ${network}: no list`, 0, 'its answer has no firewall_rules') // biome-ignore format: one line
      all.push(...found.firewall_rules)
      cursor = found.next_cursor
      if (!found.has_more || !cursor) return all
    }
    throw new Error(`more than ${MOST_PAGES} pages of firewall rules`)
  }
  return {
    list: async () =>
      (await rules()).map(({ rule, description }): Entry => ({ range: rangeOf(rule), description: description ?? '' })),
    async add({ range, description }) {
      await ask('POST', '', { rule: range, description })
    },
    async remove(range) {
      for (const { id, rule } of await rules())
        if (rangeOf(rule) === range)
          await ask('DELETE', `/${encodeURIComponent(id)}`).catch(error => {
            if (!(error instanceof Refused && error.status === 404)) throw error
          })
    },
    passing: error => error instanceof Refused && (error.status === 0 || error.status === 429 || error.status >= 500),
  }
}

const JSON_BODY = { 'content-type': 'application/json' }

/** `status` 0: there was no answer to speak of. */
class Refused extends Problem {
  readonly status: number
  constructor(what: string, status: number, why: string) {
    super(what, { why: why || `status ${status}`, next: NEXT[status] ?? 'run again when it answers' })
    this.status = status
  }
}

const NEXT: Record<number, string> = {
  401: 'give externalAllowlist.key a key that is valid',
  403: 'give externalAllowlist.key a key that may change firewall rules of this network',
  404: 'look up the id of the network in their dashboard, and write it as externalAllowlist.network',
}

const messageIn = (text: string): string => {
  try {
    return String((JSON.parse(text) as { message?: string }).message ?? text).slice(0, 300)
  } catch {
    return text.slice(0, 300)
  }
}
