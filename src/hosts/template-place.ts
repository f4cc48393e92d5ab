export type TemplatePlace = { line: number; column: number }

/** A piece of a template's code: where it stands in the template and in what EJS made of it. */
type Piece = { at: number; made: number; length: number }

/** Where a position in the JavaScript that EJS made stands in the template; lines and columns count from 1. */
export const placeIn = (text: string, made: string, { line, column }: TemplatePlace): TemplatePlace | undefined => {
  const lines = made.split('\n')
  const offset = lines.slice(0, line - 1).reduce((sum, it) => sum + it.length + 1, 0) + column - 1
  const all = pieces(text, made)
  // What prints a value is called just before the value.
  const piece = all.find(it => offset < it.made + it.length) ?? all.at(-1)
  if (!piece) return undefined
  const inside = Math.max(0, offset - piece.made)
  const blanks = /^\s*/.exec(text.slice(piece.at))?.[0].length ?? 0
  return placeAt(text, piece.at + Math.min(Math.max(inside, blanks), piece.length))
}

export const placeAt = (text: string, offset: number): TemplatePlace => {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

/** EJS copies code as it stands, in order; this follows it. */
const pieces = (text: string, made: string): Piece[] => {
  const found: Piece[] = []
  let from = 0
  for (const { 1: kind = '', 2: code = '', index } of text.matchAll(/<%(?!%)([=_-]?)(?!#)([\s\S]*?)[-_]?%>/g)) {
    const lead = kind === '=' ? '; __append(escapeFn(' : '; '
    const copied = kind === '=' ? code.replace(/;(\s*)$/, '$1') : code
    const at = made.indexOf(lead + copied, from)
    if (at < 0) continue
    found.push({ at: index + 2 + kind.length, made: at + lead.length, length: copied.length })
    from = at + lead.length + copied.length
  }
  return found
}
