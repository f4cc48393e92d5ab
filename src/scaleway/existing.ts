import type { Json } from '../engine/json.ts'
import type { Kind } from '../engine/kind.ts'
import { closest } from '../engine/nearest.ts'
import { Problem } from '../engine/problem.ts'
import type { Scaleway } from './client.ts'
import { consoleLink } from './console.ts'
import { contextIn } from './tags.ts'

/** How the inventory names a thing that somebody else made: exactly one of them. */
export type Existing = { id?: string; name?: string }
/** `place`: where the inventory names it, for problems. */
export type ExistingWant = { existing: Existing; place: string }

type Thing = { id: string; name: string; tags: string[]; zone?: string; region?: string }

type Adopting<Want, Found, Live> = {
  kind: string
  /** The word of problems, e.g. `private network`. */
  what: string
  /** Everything of that sort in the project, whoever made it. */
  list(scaleway: Scaleway): Promise<Found[]>
  live(found: Found): Live
  /** What keeps it from being of use to us, as `why` and `next`; null: it fits. */
  misfit(want: Want, live: Live): { why: string; next: string } | null
}

/**
 * A Kind for what is used and never touched: it looks, and says where it does not fit. There is no code here that
 * could change or delete, so nothing that the inventory adopts is ever at risk.
 */
export const existingKind = <Want extends ExistingWant & Json, Found extends Thing, Live extends Json>({
  kind,
  what,
  list,
  live,
  misfit,
}: Adopting<Want, Found, Live>): Kind<Want, Live, Scaleway> => {
  const read = async (want: Want, scaleway: Scaleway): Promise<Live> =>
    live(pick(what, want, await scaleway.lists.shared(`all ${kind}`, () => list(scaleway)), scaleway))
  return {
    name: kind,
    read,
    diff(want, found) {
      const wrong = found && misfit(want, found)
      if (!wrong) return null
      throw new Problem(`${what} ${nameOf(want.existing)} cannot be used`, { ...wrong, exit: 2, of: named(want) })
    },
    apply: read,
  }
}

export const nameOf = ({ id, name }: Existing): string => id ?? name ?? ''

/** Whose wish it was, for the line in the inventory. */
const named = ({ place }: { place: string }) => ({ step: place, field: 'existing' })

const pick = <Found extends Thing>(
  what: string,
  { existing, place }: ExistingWant,
  all: Found[],
  { region, projectId }: Scaleway,
): Found => {
  const link = (it: Thing) => `${it.name} ${it.id} ${consoleLink(what, { region, ...it })}`
  const [found, ...more] = all.filter(it => (existing.id ? it.id === existing.id : it.name === existing.name))
  if (more.length > 0 && found)
    throw new Problem(`there are ${more.length + 1} of ${what} ${nameOf(existing)}`, {
      why: [found, ...more].map(link).join('\n'),
      next: `name the one that is meant by its id in ${place}.existing`,
      exit: 2,
      of: named({ place }),
    })
  if (!found) {
    const names = existing.id ? all.map(it => it.id) : all.map(it => it.name)
    const near = closest(nameOf(existing), [...new Set(names)], 3)
    const shown = all.filter(it => near.includes(it.id) || near.includes(it.name)).slice(0, 5)
    throw new Problem(`there is no ${what} ${nameOf(existing)}`, {
      why: `project ${projectId} has ${shown.map(link).join('\n') || 'none'}`,
      next: `correct ${place}.existing; all of them: ${consoleLink(what, { id: '' })}`,
      exit: 2,
      of: named({ place }),
    })
  }
  const owner = contextIn(found.tags)
  if (owner === undefined) return found
  throw new Problem(`${what} ${nameOf(existing)} belongs to the context ${owner}`, {
    why: `${link(found)} carries its tags: that context changes it, and deletes it with destroy`,
    next: `use one that no context made, or leave ${place}.existing out and let this context make its own`,
    exit: 2,
    of: named({ place }),
  })
}
