import type { Report } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'
import type { Scaleway } from './client.ts'
import { consoleLink, type Linked } from './console.ts'
import { contextIn, contextTag, nameIn, ownerTag } from './tags.ts'

type Tagged = Linked & { tags: string[] }

/**
 * Before a thing counts as missing in a plan: one of that name that carries our tags but no context's lost that tag, and
 * making another would make its twin. Whose it is cannot be told, so a person is asked. Returns null: there is none.
 */
export const refuseOrphan = async <T extends Tagged>(
  scaleway: Scaleway,
  { planning }: Report,
  what: string,
  name: string,
  list: (tags: string[]) => Promise<T[]>,
): Promise<null> => {
  if (!planning) return null
  const all = await scaleway.lists.shared(`${what} of no context ${scaleway.zone}`, () => list([ownerTag]))
  const found = all.filter(
    it => it.tags.includes(ownerTag) && nameIn(it.tags) === name && contextIn(it.tags) === undefined,
  )
  if (found.length === 0) return null
  throw new Problem(`${what} ${name} has lost the tag of its context`, {
    why: found
      .map(it => `${it.id} ${consoleLink(what, { region: scaleway.region, ...it })} has our tags but no egress-context`)
      .join('\n'),
    next: `put the tag ${contextTag(scaleway.context)} back on it if it is ours, or take its egress-* tags off, then run again`,
  })
}
