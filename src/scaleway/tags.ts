import { Problem } from '../engine/problem.ts'
import type { Scaleway } from './client.ts'

const owner = 'kapsule-egress'

export const contextTag = (context: string): string => `egress-context=${context}`

/** How a run finds its own again. A comma would be read as two tags by the instance API. */
export const tagsOf = ({ context }: Pick<Scaleway, 'context'>, name: string): string[] => {
  for (const it of [context, name])
    if (!/^[\w.:/@+-]{1,100}$/.test(it))
      throw new Problem(`"${it}" cannot be part of a tag`, {
        why: 'names are kept in tags, which take letters, digits and . _ - : / @ +',
        next: 'choose another name in the inventory',
        exit: 2,
      })
  return [owner, contextTag(context), `egress-name=${name}`]
}

type Tagged = { id: string; tags: string[] }

/** Whether this context made it. Lists answer more than was asked for, so this is always asked again. */
export const isOurs = ({ context }: Pick<Scaleway, 'context'>, { tags }: Pick<Tagged, 'tags'>): boolean =>
  tags.includes(owner) && tags.includes(contextTag(context))

/** The context whose tags a thing carries; undefined: it is no context's. */
export const contextIn = (tags: string[]): string | undefined =>
  tags.find(it => it.startsWith('egress-context='))?.slice('egress-context='.length)

/** The logical name a tagged thing was given, or an empty text. */
export const nameIn = (tags: string[]): string =>
  tags.find(it => it.startsWith('egress-name='))?.slice('egress-name='.length) ?? ''

/** The one thing of that name. Two of them is for a person to settle. */
export const theOne = <T extends Tagged>(
  scaleway: Pick<Scaleway, 'context'>,
  what: string,
  name: string,
  all: T[],
): T | null =>
  single(
    `${what} ${name}`,
    all.filter(it => isOurs(scaleway, it) && nameIn(it.tags) === name),
  )

export const single = <T extends { id: string }>(what: string, found: T[]): T | null => {
  if (found.length > 1)
    throw new Problem(`there are ${found.length} of ${what}`, {
      why: `the same identity is on ${found.map(it => it.id).join(' and ')}`,
      next: 'delete the one that is not in use, or remove its egress-* tags, then run the same command again',
    })
  return found[0] ?? null
}
