import { quote } from './shell.ts'

/** Text that is right for its grammar already, line breaks and all. Anything else is printed only without them. */
export class Written {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  toString(): string {
    return this.text
  }
}

/** One value in a grammar. What a grammar cannot carry is refused, never dropped or mangled. */
export const escapes = {
  /** A word of squid.conf, which has no quoting we trust: blanks, quotes, comments and control characters are refused. */
  squid: (value: unknown) => plainWord(value, /^[\w.:/[\]@%+,=][\w.:/\-[\]@%+,=]*$/, 'squid.conf', 1000),
  /** A word of UFW's rules, which iptables-restore reads too: an address, a range, a port, a name; never an option. */
  ufw: (value: unknown) => plainWord(value, /^[\w.:/][\w.:/,-]*$/, 'a rule of ufw', 200),
  /** Any JSON value: JSON is YAML. */
  yaml(value: unknown): Written {
    if (value === undefined) throw new TypeError('an undefined value cannot be written as YAML')
    const text = JSON.stringify(value instanceof Written ? value.text : value)
    return new Written(
      text.replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, it => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`),
    )
  },
  shell: (value: unknown) => new Written(quote(word(value))),
}

const plainWord = (value: unknown, allowed: RegExp, where: string, longest: number): Written => {
  const text = word(value)
  const shown = text.length > 60 ? `${JSON.stringify(text.slice(0, 60))}...` : JSON.stringify(text)
  if (!allowed.test(text)) throw new TypeError(`${shown} cannot be a word in ${where}`)
  if (text.length > longest) throw new TypeError(`${shown} is too long for ${where}: ${text.length} characters`)
  return new Written(text)
}

const word = (value: unknown): string => {
  if (value instanceof Written) return value.text
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  throw new TypeError(`${value === null ? 'null' : typeof value} where text is wanted`)
}
