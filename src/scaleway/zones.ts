import type { Scaleway, Zoned } from './client.ts'

/** One list out of several zones. */
export const inZones = async <T>(
  scaleway: Scaleway,
  zones: readonly string[],
  list: (here: Scaleway) => Promise<T[]>,
): Promise<T[]> => (await Promise.all(zones.map(zone => list(scaleway.at(zone))))).flat()

/** The list of the zones that this context uses, asked once by reads that happen together. */
export const listHere = <T>(scaleway: Scaleway, what: string, list: (here: Scaleway) => Promise<T[]>): Promise<T[]> =>
  scaleway.lists.shared(what, () => inZones(scaleway, scaleway.zones, list))

/**
 * A thing of ours in the zones that this context uses. Before it counts as missing, the rest of the region is asked:
 * a zone that was changed in the inventory must find what stands in the old one.
 */
export const findZoned = async <T, F>(
  scaleway: Scaleway,
  api: Zoned,
  what: string,
  list: (here: Scaleway) => Promise<T[]>,
  pick: (all: T[]) => F | null,
): Promise<F | null> => {
  const found = pick(await listHere(scaleway, what, list))
  if (found !== null) return found
  const others = scaleway.zonesOf(api).filter(it => !scaleway.zones.includes(it))
  return pick(await scaleway.lists.shared(`${what} elsewhere`, () => inZones(scaleway, others, list)))
}
