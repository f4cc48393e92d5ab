/** A number of things, or a share of all of them: `2`, `25%`. */
export type Amount = number | string

/**
 * One batch after the other, as sizes say; the last size goes on until all are in one. A share is of all, rounded down,
 * and at least one. Without sizes everything is one batch.
 */
export const batchesOf = <T>(all: readonly T[], sizes: readonly Amount[] = []): T[][] => {
  if (sizes.length === 0) return all.length > 0 ? [[...all]] : []
  const batches: T[][] = []
  for (let from = 0; from < all.length; from += batches.at(-1)!.length) {
    const size = Math.max(1, countOf(sizes[Math.min(batches.length, sizes.length - 1)]!, all.length))
    batches.push(all.slice(from, from + size))
  }
  return batches
}

/** How many an amount is, of so many. */
export const countOf = (amount: Amount, total: number): number =>
  typeof amount === 'number' ? amount : Math.floor((total * Number.parseFloat(amount)) / 100)
