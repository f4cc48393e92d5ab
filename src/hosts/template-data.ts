/** What a template may read besides its data: nothing that differs between two runs or two machines. */
const globals = new Set([
  ...['Array', 'Boolean', 'JSON', 'Number', 'Object', 'String', 'Infinity', 'NaN', 'undefined', 'isNaN', 'parseInt'],
  // What the code that EJS writes calls itself.
  ...['__append', '__output', 'escapeFn', 'locals', 'rethrow'],
])

/**
 * The data as a template sees it: every name must be there, every value defined, at any depth, and none is changed.
 * Globals such as Date or process are not there either, so the same data gives the same text.
 */
export const strictData = (data: object): object =>
  new Proxy(data, {
    ...guards('the data'),
    has: (target, key) => Object.hasOwn(target, key) || !(typeof key === 'string' && globals.has(key)),
  })

/** So that a condition on a misspelt name is not just false. */
const strict = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? new Proxy(value, guards(name)) : value

const guards = (name: string): ProxyHandler<object> => ({
  get(target, key) {
    if (typeof key === 'symbol') return Reflect.get(target, key)
    const known = name === 'the data' ? Object.hasOwn(target, key) : key in target
    // JSON.stringify asks everything for toJSON.
    if (!known && key === 'toJSON') return undefined
    if (!known) throw new ReferenceError(`${key} is not in ${name}`)
    const value = Reflect.get(target, key)
    if (value === undefined) throw new ReferenceError(`${key} is undefined in ${name}`)
    return strict(value, `${name}.${key}`)
  },
  set: (_, key) => refuse(name, key),
  defineProperty: (_, key) => refuse(name, key),
  deleteProperty: (_, key) => refuse(name, key),
})

const refuse = (name: string, key: PropertyKey): never => {
  throw new TypeError(`a template cannot change ${String(key)} in ${name}; declare names of its own with const`)
}
