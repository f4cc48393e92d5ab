import { Environment } from '@marcbachmann/cel-js'
import type { Loose } from '../objects/object.ts'
import { isMap } from '../objects/object.ts'

/** An expression ready to be asked; throws what a real server would call a compilation error. */
export type Expression = (context: Record<string, unknown>) => unknown

const names = ['object', 'oldObject', 'request', 'params', 'namespaceObject', 'variables']

const environment = (() => {
  const it = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false })
  for (const name of names) it.registerVariable(name, 'dyn')
  return it.registerFunction(
    'string.find(string): string',
    (text: string, pattern: string) => text.match(pattern)?.[0] ?? '',
  )
})()

export const compile = (text: string): Expression => {
  const parsed = environment.parse(text)
  const checked = parsed.check()
  if (!checked.valid) throw checked.error
  return context => parsed(context)
}

/** What an expression gives: `bool`, `string`, `dyn`, as far as that is known before it is asked. */
export const typeOf = (text: string): string => String(environment.parse(text).check().type ?? 'dyn')

/** The first of its variables that nobody declared before it. */
export const undeclared = (text: string, declared: string[]): string | undefined =>
  [...text.matchAll(/\bvariables\.([A-Za-z_]\w*)/g)].map(it => it[1]!).find(it => !declared.includes(it))

/** JSON as CEL sees it: whole numbers are ints. */
export const toCel = (value: Loose): unknown => {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(toCel)
  if (!isMap(value)) return value ?? null
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, it]) => it !== undefined && it !== null)
      .map(([key, it]) => [key, toCel(it)]),
  )
}

/** The first line of what went wrong: the rest draws the place. */
export const trouble = (thrown: unknown): string =>
  (thrown instanceof Error ? thrown.message : String(thrown))
    .split('\n')[0]!
    .trim()
    .replace(/^No such key/, 'no such key')
