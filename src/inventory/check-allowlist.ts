import { rangeOf } from '../engine/ranges.ts'
import type { Say } from './say.ts'
import type { TenantFile } from './schema-tenant.ts'
import type { Parts } from './validate.ts'

/** What each provider needs, and what it can be told besides. */
const words = {
  crunchybridge: { needs: ['network'], takes: ['key', 'url'] },
  'scaleway-rdb': { needs: ['instance'], takes: ['region'] },
  kapsule: { needs: ['cluster'], takes: ['region'] },
  command: { needs: ['commands'], takes: [] },
} as const
const all = [...new Set(Object.values(words).flatMap(it => [...it.needs, ...it.takes]))]

const LOOPBACK = /^http:\/\/(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?(\/|$)/

/** The words of its provider and no others; and nothing is taken out that nobody proves to be needless. */
export const checkAllowlist = ({ rollout, egress }: Parts<TenantFile>, say: Say) => {
  const list = rollout?.externalAllowlist
  if (!list) return
  const path = ['rollout', 'externalAllowlist']
  const own = list.provider && words[list.provider]
  if (own) {
    const known: readonly string[] = [...own.needs, ...own.takes]
    for (const word of own.needs)
      if (!(word in list)) say(path, `${word} is missing`, `${list.provider} is asked by it`, `add ${word}`)
    for (const word of all)
      if (word in list && !known.includes(word))
        say([...path, word], `${word} says nothing here`, `${list.provider} takes ${known.join(', ')}`, 'take it out')
  }
  const { url } = list
  if (url?.startsWith('http:') && !LOOPBACK.test(url))
    say([...path, 'url'], `${url} is not encrypted`, 'whoever is on the way reads the API key', 'write https://')
  const { remove = [], prove } = list
  if (remove.length > 0 && !('prove' in list)) {
    const why = 'before an entry goes, every moved workload has to get in without it'
    say([...path, 'remove'], 'nobody could tell that these are needless', why, 'add prove: host:port, or an https URL')
  }
  const ranges = remove.map(it => (it === undefined ? undefined : rangeOf(it)))
  for (const [at, range] of ranges.entries())
    if (range !== undefined && ranges.indexOf(range) < at)
      say([...path, 'remove', at], `${remove[at]} is there twice`, 'an entry goes once', 'take one out')
  if (prove !== undefined && !prove.startsWith('https://') && egress?.sni === 'verify') {
    const why = 'with sni: verify the proxy answers a tunnel before it has the connection'
    say([...path, 'prove'], `a tunnel to ${prove} proves nothing`, why, 'write an https URL of the partner')
  }
}
