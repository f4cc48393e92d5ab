/** A line in words as a POSIX shell has them: quotes, backslashes, and `#` begins a comment even inside a word. */
export const wordsOf = (line: string): string[] => {
  const words: string[] = []
  let word: string | undefined
  for (let at = 0; at < line.length; at++) {
    const it = line[at]!
    if (it === '#') break
    if (/\s/.test(it)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (it === "'" || it === '"') {
      word ??= ''
      for (at++; line[at] !== it; at++) {
        if (at >= line.length) throw new Error(`a ${it} is not closed`)
        if (it === '"' && line[at] === '\\' && /["\\]/.test(line[at + 1] ?? '')) at++
        word += line[at]
      }
    } else if (it === '\\') {
      if (at + 1 >= line.length) throw new Error('nothing follows the \\')
      word = (word ?? '') + line[++at]
    } else word = (word ?? '') + it
  }
  if (word !== undefined) words.push(word)
  return words
}
