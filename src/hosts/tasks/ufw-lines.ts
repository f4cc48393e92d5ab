/** A line of `iptables -S`: `match` without comments, '' for all. */
export type Line = { text: string; chain: string; match: string; target: string }

/** @see iptables-save(8); words with a blank are quoted, and are never read as a match. */
export const parseLine = (text: string): Line => {
  const bare = text.replace(/"(?:\\.|[^"\\])*"/g, '""').replace(/ -m comment(?= )| --comment \S+/g, '')
  const [, chain = '', rest = ''] = /^-A (\S+) ?(.*)$/.exec(bare) ?? []
  const [, match = '', target = ''] = /^(?:(.*) )?-[jg] (\S+)/.exec(rest) ?? []
  return { text, chain, match, target }
}

/** The value of an option that is not denied, like `22:23` of `--dport`. */
export const saidOf = (match: string, option: string): string | undefined =>
  new RegExp(`(?<=^| )(?<!! )${option} (\\S+)`).exec(match)?.[1]
