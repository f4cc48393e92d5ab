import { quote } from './shell.ts'

/** One value in a grammar. What a grammar cannot carry is refused, never dropped or mangled. */
export const escapes = {
  /** A word of squid.conf, which has no quoting we trust: blanks, quotes, comments and control characters are refused. */
  squid(value: unknown): string {
    const text = word(value)
    if (!/^[\w.:/\-[\]@%+,=]+$/.test(text))
      throw new TypeError(`${JSON.stringify(text)} cannot be a word in squid.conf`)
    return text
  },
  /** Any JSON value: JSON is YAML. */
  yaml(value: unknown): string {
    if (value === undefined) throw new TypeError('an undefined value cannot be written as YAML')
    return JSON.stringify(value).replace(
      /[\u007f-\u009f\u2028\u2029\ufeff]/g,
      it => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
  },
  shell: (value: unknown): string => quote(word(value)),
}

const word = (value: unknown): string => {
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  throw new TypeError(`${value === null ? 'null' : typeof value} where text is wanted`)
}
