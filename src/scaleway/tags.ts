import type { Detail } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'
import type { Scaleway } from './client.ts'
import { consoleLink, type Linked } from './console.ts'

export const ownerTag = 'kapsule-egress'

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
  return [ownerTag, contextTag(context), `egress-name=${name}`]
}

type Tagged = Linked & { tags: string[]; name?: string }

/**
 * Whether this context made it. Lists answer more than was asked for, so this is always asked again. One of the three
 * tags may have been taken away by hand, but not the one that names the context.
 */
export const isOurs = ({ context }: Pick<Scaleway, 'context'>, { tags }: Pick<Tagged, 'tags'>): boolean =>
  tags.includes(contextTag(context)) && (tags.includes(ownerTag) || nameIn(tags) !== '')

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
    all.filter(it => isOurs(scaleway, it) && (nameIn(it.tags) || it.name) === name),
    what,
  )

/** `page`: the word for links to the console. */
export const single = <T extends Linked>(what: string, found: T[], page: string): T | null => {
  if (found.length > 1)
    throw new Problem(`there are ${found.length} of ${what}`, {
      why: `the same identity is on ${found.map(it => `${it.id} ${consoleLink(page, it)}`).join(' and ')}`,
      next: 'delete the one that is not in use, or take from it what makes it ours (its egress-* tags; a key has only its name), then run the same command again',
    })
  return found[0] ?? null
}

/** Tags that somebody took away: in what is seen only then, so that what is whole looks as ever. */
export type Untagged = { untagged?: string[] }

export const lostTags = (scaleway: Pick<Scaleway, 'context'>, name: string, tags: string[]): Untagged => {
  const untagged = tagsOf(scaleway, name).filter(it => !tags.includes(it))
  return untagged.length > 0 ? { untagged } : {}
}

export const tagChange = ({ untagged }: Untagged): Detail | null =>
  untagged ? { name: 'tags', action: 'update', diff: untagged.map(it => `+ ${it}`).join('\n') } : null

/** Gives back the tags that were taken away; others stay. Nothing is written when none is missing. */
export const mendTags = async (
  scaleway: Pick<Scaleway, 'context'>,
  name: string,
  tags: string[],
  write: (tags: string[]) => Promise<unknown>,
): Promise<void> => {
  const { untagged } = lostTags(scaleway, name, tags)
  if (untagged) await write([...tags, ...untagged])
}
