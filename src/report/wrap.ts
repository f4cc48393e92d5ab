/** Words in lines of at most `width` characters: the first begins with `head`, the others are indented as far. */
export const wrap = (head: string, text: string, width = 80): string[] => {
  const indent = ' '.repeat(head.length)
  const lines: string[] = []
  let line = head
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const empty = line === head || line === indent
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line)
      line = indent + word
    } else line += empty ? word : ` ${word}`
  }
  return [...lines, line.trimEnd()]
}
