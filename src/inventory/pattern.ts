import { nearest } from '../engine/nearest.ts'
import { Problem } from '../engine/problem.ts'

/** Something a pattern can choose, with every name it answers to. */
export type Named = { names: readonly string[] }

/**
 * Which of them a pattern means, in Ansible's words: `a:b` or `a,b` both, `&c` only those also in c, `!d` not d, `*` `?`
 * `[a-c]` as in a shell, `~regex`. Without a plain word it starts from all. A word that names nothing is a Problem
 * (exit 2): an exclusion with a typing mistake would touch what was to be left alone.
 */
export const choose = <T extends Named>(pattern: string, from: readonly T[], what: string): T[] => {
  const terms = termsOf(pattern)
  const matched = terms.map(({ sign, text }) => {
    const matches = matcher(pattern, text)
    const found = from.filter(it => it.names.some(matches))
    if (found.length === 0 && !/[*?[]|^~/.test(text)) throw noSuch(pattern, text, from, what)
    return { sign, found }
  })
  const of = (sign: Sign) => matched.filter(it => it.sign === sign).map(it => it.found)
  const plain = of('')
  const chosen = from.filter(
    it =>
      (plain.length === 0 || plain.some(found => found.includes(it))) &&
      of('&').every(found => found.includes(it)) &&
      !of('!').some(found => found.includes(it)),
  )
  if (chosen.length === 0 || terms.length === 0) throw nothing(pattern, from, what)
  return chosen
}

type Sign = '' | '&' | '!'

/** Between commas and colons; a `~regex` goes on to the next comma, as it may hold colons. */
const termsOf = (pattern: string): { sign: Sign; text: string }[] =>
  pattern
    .split(',')
    .flatMap(it => (/^\s*[&!]?~/.test(it) ? [it] : it.split(':')))
    .map(it => it.trim())
    .filter(it => it !== '')
    .map(it => {
      const sign = it.startsWith('&') || it.startsWith('!') ? (it[0] as Sign) : ''
      return { sign, text: it.slice(sign.length).trim() }
    })

const matcher = (pattern: string, text: string): ((name: string) => boolean) => {
  if (text === 'all') return () => true
  try {
    const expression = text.startsWith('~') ? new RegExp(text.slice(1)) : globOf(text)
    return name => expression.test(name)
  } catch (cause) {
    throw new Problem(`--limit ${pattern} cannot be read`, {
      why: (cause as Error).message,
      next: 'mend the expression after ~; nothing was touched',
      exit: 2,
      cause,
    })
  }
}

/** `*`, `?` and `[a-c]`, as in a shell; everything else stands for itself. */
export const globOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split(/(\*|\?|\[[\w-]+\])/)
      .map(it => {
        if (it === '*') return '.*'
        if (it === '?') return '.'
        return /^\[[\w-]+\]$/.test(it) ? it : it.replace(/[.+?^${}()|[\]\\*]/g, '\\$&')
      })
      .join('')}$`,
  )

const noSuch = (pattern: string, word: string, from: readonly Named[], what: string) => {
  const known = [...new Set(from.flatMap(it => it.names))].sort()
  const near = nearest(word, known)
  return new Problem(`--limit ${pattern} matches nothing by ${word}`, {
    why: `${what} answer to ${known.join(', ')}`,
    next: near ? `did you mean ${near}? nothing was touched` : 'name one of these; * stands for anything',
    exit: 2,
  })
}

const nothing = (pattern: string, from: readonly Named[], what: string) =>
  new Problem(`--limit ${pattern} matches nothing`, {
    why: `${what} are ${from.map(it => it.names[0]).join(', ')}`,
    next: 'name a tenant, its namespace, its proxy or a group; * stands for anything, ! leaves out, & narrows',
    exit: 2,
  })
