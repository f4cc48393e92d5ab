import { isIP } from 'node:net'
import { decide, hasPort, matches, rulesFor } from './decide.ts'
import { type Both, type Edit, edited } from './edit.ts'
import { readEntries } from './entries.ts'
import type { Entry, Place } from './entry.ts'
import { hostOf } from './name.ts'
import type { Decision, Mode, Request } from './policy.ts'

/** `flip`: the smallest change of the inventory that turns the verdict; null: none does, and `instead` says why. */
export type Explanation = Decision & { place: Place | null; flip: Edit[] | null; instead: string | null }

type Known = { lists: Both; tenant: string; mode: Mode; inner?: readonly string[] }

/** Why a request is let through or not, by which entry, and what would change that. Each change was tried. */
export const explain = (known: Known, request: Request): Explanation => {
  const at = request.at ?? new Date().toISOString()
  const asked = { ...request, at }
  const before = read(known, at)
  const decision = decide(before.policy, asked, known)
  const place = before.placed.find(it => it.rule.id === decision.rule)?.place ?? null
  const instead = asked.protocol === 'http' && asked.port === 443 ? tunnel : (ways[decision.rule] ?? null)
  const flip =
    candidates(known, asked, decision).find(edits => {
      const after = read({ ...known, lists: edited(known.lists, edits) }, at)
      const { verdict } = decide(after.policy, asked, known)
      if ((verdict === 'allowed') === (decision.verdict === 'allowed')) return false
      return after.mistakes.filter(it => !it.warning).length <= before.mistakes.filter(it => !it.warning).length
    }) ?? null
  return { ...decision, place, flip, instead: flip && instead !== tunnel ? null : instead }
}

const tunnel = 'ask for it as https://, which goes through a tunnel'

const ways: Record<string, string> = {
  method: 'the proxy takes no such method, whatever the policy says',
  scheme: 'no entry lets another scheme through: ask for http:// or https://',
  manager: 'no entry opens the manager to a client',
  authority:
    'write the host without a login, as a name, or as an address in its usual form, and a port from 1 to 65535',
  inner: 'no entry lets a request into a special range or our own networks',
  unresolved: 'a name without an address leads nowhere: see what its DNS says',
  'not-listed': 'no entry can name this host: it is a public suffix, a local name or a special address',
}

const read = ({ lists, tenant, mode }: Known, at: string) =>
  readEntries(lists.context, { tenant, egress: { ...lists.tenant, mode } }, at.slice(0, 10))

/** Changes that may do, the smallest first. */
const candidates = (known: Known, request: Request, { verdict }: Decision): Edit[][] => {
  const host = hostOf(request.host)
  if (host === null) return []
  const { policy, placed } = read(known, request.at!)
  const placeOf = (id: string) => placed.find(it => it.rule.id === id)!.place
  const remove = (ids: string[]): Edit[] => ids.map(id => ({ do: 'remove', place: placeOf(id) }))
  const named = rulesFor(policy, host, request.at)
  const matching = named.filter(it => matches(it, request))
  if (verdict === 'allowed') {
    const own = remove(matching.filter(it => it.name === host).map(it => it.id))
    const deny: Edit = { do: 'add', list: 'deny', entry: exactly(host, request) }
    return [...(own.length > 0 ? [own] : []), [deny], [...own, deny], remove(matching.map(it => it.id))]
  }
  const undenied = remove(matching.filter(it => it.effect === 'deny').map(it => it.id))
  const allowed = named.filter(it => it.effect === 'allow')
  const widened = allowed.flatMap((rule): Edit[] => {
    const place = placeOf(rule.id)
    const entry = known.lists[place.of][place.list]![place.at]!
    if (hasPort(rule[request.protocol], request.port))
      return [{ do: 'set', place, fields: { methods: [...(rule.methods ?? []), request.method] } }]
    if (entry.protocols || entry.methods) return []
    const ports = [...new Set([...(entry.ports ?? [80, 443]), request.port])] as number[]
    return [{ do: 'set', place, fields: { ports: ports.sort((a, b) => a - b) } }]
  })
  const added: Edit[] = [shortly(host, request), exactly(host, request)].map(entry => ({
    do: 'add',
    list: 'allow',
    entry,
  }))
  return [...(undenied.length > 0 ? [undenied] : []), ...[...widened, ...added].map(it => [...undenied, it])]
}

const who = (host: string): Entry => (isIP(host) ? { address: host } : { domain: host })

const exactly = (host: string, { port, protocol }: Request): Entry => ({
  ...who(host),
  ports: [port],
  protocols: [protocol],
})

/** What an operator would write, where that is enough. */
const shortly = (host: string, { port, protocol }: Request): Entry => ({
  ...who(host),
  ...(port !== (protocol === 'connect' ? 443 : 80) && { ports: [port] }),
})
