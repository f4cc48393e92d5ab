import { readFileSync } from 'node:fs'
import ejs from 'ejs'
import { Problem } from '../engine/problem.ts'
import { escapes } from './escape.ts'

const root = new URL('../../templates/', import.meta.url)

/**
 * A file of templates/, e.g. `render('etc/squid/squid.conf', data)`. Strict: a name that is not in the data, or a value
 * that is not text, number or boolean, is a Problem with template and line. Nothing is escaped for HTML; templates
 * escape for their own grammar with `squid()`, `yaml()`, `shell()`.
 */
export const render = (path: string, data: Record<string, unknown>): string =>
  renderText(path, readFileSync(new URL(`${path}.ejs`, root), 'utf8'), data)

export const renderText = (path: string, text: string, data: Record<string, unknown>): string => {
  const raw = text.split('\n').findIndex(line => line.includes('<%-'))
  if (raw >= 0) throw refused(path, `${path}.ejs:${raw + 1}: <%- would put a value in unchecked; use <%=`)
  const stray = text
    .replace(/<%(?!%)[\s\S]*?%>/g, it => it.replace(/[^\n]/g, ''))
    .split('\n')
    .findIndex(line => /(?<!%)%>/.test(line))
  if (stray >= 0) throw refused(path, `${path}.ejs:${stray + 1}: %> closes nothing and would vanish; write %%>`)
  try {
    return ejs.render(text, strict({ ...escapes, ...data }, 'the data') as ejs.Data, {
      filename: `${path}.ejs`,
      escape: printable as never,
    })
  } catch (error) {
    throw error instanceof Problem ? error : refused(path, (error as Error).message, error)
  }
}

const printable = (value: unknown): string => {
  if (typeof value === 'string' || typeof value === 'boolean') return String(value)
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  const kind =
    value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value === 'number' ? 'no number' : typeof value
  throw new TypeError(`a value to print is ${kind}`)
}

/** Reading what is not there throws, at any depth, so that a condition on a misspelt name is not just false. */
const strict = (value: unknown, name: string): unknown => {
  if (typeof value !== 'object' || value === null) return value
  return new Proxy(value, {
    get(target, key) {
      if (typeof key === 'symbol' || key in target) {
        const it = Reflect.get(target, key)
        return typeof it === 'object' ? strict(it, `${name}.${String(key)}`) : it
      }
      // JSON.stringify asks everything for this.
      if (key === 'toJSON') return undefined
      throw new ReferenceError(`${key} is not in ${name}`)
    },
  })
}

const refused = (path: string, why: string, cause?: unknown) =>
  new Problem(`the template ${path} cannot be rendered`, {
    why,
    next: `mend templates/${path}.ejs or the data it is given; nothing was touched`,
    exit: 2,
    cause,
  })
