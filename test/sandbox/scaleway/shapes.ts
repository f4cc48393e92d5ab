/**
 * Shapes of recorded answers: 'string', 'number' and 'boolean' are types, '=word' is that word, '{vpc:1}' an id that stays the same
 * wherever it comes back, `{some}` a list and `{each}` a map of any length whose members have one of these shapes.
 */
export type Shape = string | boolean | null | Shape[] | { [key: string]: Shape }

export type Bindings = Map<string, string>

const symbols = /\{[a-z_0-9]+:\d+\}/g

/** Where a value is not of a shape; what the symbols stand for is learnt on the way. */
export const differences = (shape: Shape, value: unknown, bindings: Bindings, at = ''): string[] => {
  if (Array.isArray(shape)) {
    if (!Array.isArray(value) || value.length !== shape.length) return [`${at}: ${told(value)}, not ${told(shape)}`]
    return shape.flatMap((it, index) => differences(it, value[index], bindings, `${at}[${index}]`))
  }
  if (typeof shape === 'object' && shape !== null) return inObject(shape, value, bindings, at)
  if (typeof shape !== 'string') return value === shape ? [] : [`${at}: ${told(value)}, not ${shape}`]
  if (shape === 'string' || shape === 'number' || shape === 'boolean')
    return typeof value === shape ? [] : [`${at}: ${told(value)}, not a ${shape}`]
  if (shape.startsWith('=')) return value === shape.slice(1) ? [] : [`${at}: ${told(value)}, not ${shape.slice(1)}`]
  return inTemplate(shape, value, bindings, at)
}

const inObject = (shape: { [key: string]: Shape }, value: unknown, bindings: Bindings, at: string): string[] => {
  if (typeof value !== 'object' || value === null) return [`${at}: ${told(value)}, not an object`]
  const [some, each] = [shape.some, shape.each]
  if (Array.isArray(some) || Array.isArray(each)) {
    if (Array.isArray(value) !== Array.isArray(some)) return [`${at}: ${told(value)}`]
    const members = Object.entries(value)
    if (members.length === 0) return [`${at}: is empty`]
    const shapes = (some ?? each) as Shape[]
    return members.flatMap(([key, it]) => inOneOf(shapes, it, bindings, `${at}[${key}]`))
  }
  if (Array.isArray(value)) return [`${at}: is a list`]
  const members = value as Record<string, unknown>
  const missing = Object.keys(shape).filter(it => !(it in members))
  const extra = Object.keys(members).filter(it => !(it in shape))
  return [
    ...missing.map(it => `${at}.${it}: missing, ${told(shape[it])}`),
    ...extra.map(it => `${at}.${it}: not in the recording`),
    ...Object.entries(shape).flatMap(([key, it]) =>
      key in members ? differences(it, members[key], bindings, `${at}.${key}`) : [],
    ),
  ]
}

/** The closest shape decides what is told. */
const inOneOf = (shapes: Shape[], value: unknown, bindings: Bindings, at: string): string[] => {
  let closest: string[] | undefined
  for (const shape of shapes) {
    const mine = new Map(bindings)
    const found = differences(shape, value, mine, at)
    if (found.length === 0) {
      for (const [symbol, id] of mine) bindings.set(symbol, id)
      return []
    }
    if (!closest || found.length < closest.length) closest = found
  }
  return closest ?? [`${at}: ${told(value)}, nothing is there in the recording`]
}

/** An id, alone or inside other text; bound at its first appearance. */
const inTemplate = (template: string, value: unknown, bindings: Bindings, at: string): string[] => {
  if (typeof value !== 'string') return [`${at}: ${told(value)}, not ${template}`]
  const parts = template.split(symbols).map(it => it.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const found = new RegExp(`^${parts.join('(.+)')}$`).exec(value)
  if (!found) return [`${at}: ${value}, not like ${template}`]
  return (template.match(symbols) ?? []).flatMap((symbol, index) => {
    const id = found[index + 1]!
    const bound = bindings.get(symbol)
    if (bound === undefined) bindings.set(symbol, id)
    return bound === undefined || bound === id ? [] : [`${at}: ${id}, but ${symbol} is ${bound}`]
  })
}

/** A request with what its symbols stand for; those nobody answered stand for things that do not exist. */
export const fill = (text: string, bindings: Bindings): string =>
  text.replaceAll(symbols, symbol => {
    if (!bindings.has(symbol)) bindings.set(symbol, crypto.randomUUID())
    return bindings.get(symbol)!
  })

const told = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}
