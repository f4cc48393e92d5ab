import type { Value } from './tree.ts'

/**
 * A value of an INI inventory: Python's literals (`True`, `7`, `[1, 'a']`, `{'a': 1}`), and text where it is none. `true`
 * and `0644` are text, as they are for Ansible.
 */
export const literal = (text: string): Value => {
  try {
    const reader = read(text.replace(/^[ \t]+/, ''))
    const value = reader.value()
    reader.end()
    return value
  } catch (error) {
    if (error instanceof NoLiteral) return text
    throw error
  }
}

class NoLiteral extends Error {}

const number = /[+-]?(?:0[xX][\da-fA-F]+|0[oO][0-7]+|0[bB][01]+|(?:\d[\d_]*)?\.?\d[\d_]*\.?(?:[eE][+-]?\d+)?)/y
const words: Record<string, Value> = { True: true, False: false, None: null }

const read = (text: string) => {
  let at = 0
  const blanks = () => {
    for (;;) {
      const from = at
      while (/\s/.test(text[at] ?? '')) at++
      if (text[at] === '#') while (at < text.length && text[at] !== '\n') at++
      if (at === from) return
    }
  }
  const take = (wanted: string): boolean => {
    blanks()
    if (!text.startsWith(wanted, at)) return false
    at += wanted.length
    return true
  }
  const list = (close: string): Value[] => {
    const found: Value[] = []
    while (!take(close)) {
      found.push(value())
      if (!take(',')) {
        if (take(close)) break
        throw new NoLiteral()
      }
    }
    return found
  }
  const map = (): Value => {
    const found: Record<string, Value> = {}
    while (!take('}')) {
      const key = value()
      if (typeof key === 'object' || !take(':')) throw new NoLiteral()
      found[String(key)] = value()
      if (!take(',')) {
        if (take('}')) break
        throw new NoLiteral()
      }
    }
    return found
  }
  const quoted = (mark: string): string => {
    let found = ''
    for (; text[at] !== mark; at++) {
      if (at >= text.length || text[at] === '\n') throw new NoLiteral()
      if (text[at] !== '\\') found += text[at]
      else {
        at++
        const escaped = escapes[text[at] ?? '']
        // Of the rarer escapes none is guessed at.
        if (/[\dxuUN]/.test(text[at] ?? '')) throw new NoLiteral()
        found += escaped ?? `\\${text[at]}`
      }
    }
    at++
    return found
  }
  const value = (): Value => {
    blanks()
    const mark = text[at]
    if (mark === '"' || mark === "'") {
      if (text.startsWith(mark.repeat(3), at)) throw new NoLiteral()
      at++
      return quoted(mark)
    }
    if (take('[')) return list(']')
    if (take('{')) return map()
    if (take('(')) {
      const from = at
      const found = list(')')
      // Brackets around one value are no tuple.
      return found.length === 1 && !/,\s*\)$/.test(text.slice(from, at)) ? found[0]! : found
    }
    for (const [word, meaning] of Object.entries(words))
      if (text.startsWith(word, at) && !/\w/.test(text[at + word.length] ?? '')) {
        at += word.length
        return meaning
      }
    number.lastIndex = at
    const digits = number.exec(text)?.[0]
    if (!digits || /[\w.]/.test(text[at + digits.length] ?? '') || /^[+-]?0[\d_]*[1-9]/.test(digits))
      throw new NoLiteral()
    at += digits.length
    const result = numberOf(digits.replaceAll('_', ''))
    // More digits than a number holds would come out as another number.
    if (/__|_$/.test(digits) || !Number.isFinite(result) || (Number.isInteger(result) && !Number.isSafeInteger(result)))
      throw new NoLiteral()
    return result
  }
  const end = () => {
    blanks()
    if (at < text.length) throw new NoLiteral()
  }
  return { value, end }
}

const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"', '\n': '' }

const numberOf = (digits: string) => {
  const [, sign = '', rest = ''] = /^([+-]?)(.*)$/.exec(digits) ?? []
  return (sign === '-' ? -1 : 1) * Number(rest)
}
