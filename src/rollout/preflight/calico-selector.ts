import type { Labels } from './sight.ts'

/** A token of a selector: a name, a quoted value, or a sign. */
const TOKEN = /\s*(?:([A-Za-z0-9_./-]+)|'([^']*)'|"([^"]*)"|(==|!=|&&|\|\||[!(){},]))/y

/**
 * Does a selector of Calico have these labels? Null: it says something that is not known here.
 * @see Calico, Network policy: Selectors
 */
export const selectsCalico = (selector: string | undefined, labels: Labels): boolean | null => {
  if (selector === undefined || selector.trim() === '') return true
  const tokens = tokensOf(selector)
  if (!tokens) return null
  let at = 0
  const sign = (text: string) => tokens[at]?.sign === text && ++at > 0
  const word = (text: string) => tokens[at]?.name === text && ++at > 0
  const fail = (): never => {
    throw new Unknown()
  }
  const value = (): string => tokens[at++]?.value ?? fail()
  const values = (): string[] => {
    const all: string[] = []
    if (!sign('{')) fail()
    while (!sign('}')) {
      all.push(value())
      sign(',')
    }
    return all
  }
  const either = (): boolean => {
    let is = both()
    // Both sides are read, whatever the first says.
    while (sign('||')) is = both() || is
    return is
  }
  const both = (): boolean => {
    let is = one()
    while (sign('&&')) is = one() && is
    return is
  }
  const one = (): boolean => {
    if (sign('!')) return !one()
    if (sign('(')) {
      const is = either()
      return sign(')') ? is : fail()
    }
    const name = tokens[at++]?.name ?? fail()
    if (name === 'all' && sign('(')) return sign(')') || fail()
    if (name === 'has' && sign('(')) {
      const key = tokens[at++]?.name ?? fail()
      return sign(')') ? labels[key] !== undefined : fail()
    }
    const own = labels[name]
    if (sign('==')) return own === value()
    if (sign('!=')) return own !== value()
    if (word('in')) return values().includes(own as string)
    if (word('not') && word('in')) return !values().includes(own as string)
    return fail()
  }
  try {
    const is = either()
    return at === tokens.length ? is : null
  } catch (thrown) {
    if (thrown instanceof Unknown) return null
    throw thrown
  }
}

class Unknown extends Error {}

type Token = { name?: string | undefined; value?: string | undefined; sign?: string | undefined }

const tokensOf = (text: string): Token[] | null => {
  const tokens: Token[] = []
  const end = text.trimEnd().length
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < end) {
    const found = TOKEN.exec(text)
    if (!found) return null
    tokens.push({ name: found[1], value: found[2] ?? found[3], sign: found[4] })
  }
  return tokens
}
