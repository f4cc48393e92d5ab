/** Columns padded to their widest cell, two spaces apart. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map(row => (row[column] ?? '').length)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [line(head), widths.map(width => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

/** The same in `width` columns: where that is too narrow, the last cell of each row stands below it, so no word is cut. */
export const narrowTable = (head: readonly string[], rows: readonly (readonly string[])[], width = 80): string => {
  const whole = table(head, rows)
  if (whole.split('\n').every(line => line.length <= width)) return whole
  const [heads, ...lines] = table(
    head.slice(0, -1),
    rows.map(row => row.slice(0, -1)),
  ).split('\n')
  const below = [`  ${head.at(-1)}`, null, ...rows.map(row => `  ${row.at(-1) ?? ''}`)]
  return [heads, ...lines].flatMap((line, n) => (below[n]?.trim() ? [line, below[n]] : [line])).join('\n')
}
