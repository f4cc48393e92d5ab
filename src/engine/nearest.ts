/** The known word that a mistyped one most likely meant; undefined when none is near. */
export const nearest = (word: string, known: readonly string[]): string | undefined => {
  const best = ranked(word, known)[0]
  return best && best.far <= Math.max(2, Math.floor(word.length / 2)) ? best.it : undefined
}

/** The few known words that come closest, however far: for a list of what there is. */
export const closest = (word: string, known: readonly string[], most = 5): string[] =>
  ranked(word, known)
    .slice(0, most)
    .map(({ it }) => it)

const ranked = (word: string, known: readonly string[]) =>
  known.map(it => ({ it, far: distance(word.toLowerCase(), it.toLowerCase()) })).sort((a, b) => a.far - b.far)

/** Levenshtein distance, one row at a time. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
