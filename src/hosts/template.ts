import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { compileFunction } from 'node:vm'
import { lazily } from '../engine/lazily.ts'
import { Problem } from '../engine/problem.ts'
import { escapes, Written } from './escape.ts'
import { strictData } from './template-data.ts'
import { placeAt, placeIn, type TemplatePlace } from './template-place.ts'

const ejs = lazily(() => createRequire(import.meta.url)('ejs') as typeof import('ejs'))

const root = new URL('../../templates/', import.meta.url)

/**
 * A file of templates/, e.g. `render('etc/squid/squid.conf', data)`. Strict: a name that is not in the data, or a value
 * that is not text, number or boolean, is a Problem with template, line and column. Nothing is escaped for HTML;
 * templates escape for their own grammar with `squid()`, `ufw()`, `yaml()`, `shell()`, and share with `include()`.
 */
export const render = (path: string, data: Record<string, unknown>): string => renderText(path, fromDisk(path), data)

const fromDisk = (path: string) => readFileSync(new URL(`${path}.ejs`, root), 'utf8')

type Read = (path: string) => string

export const renderText = (
  path: string,
  text: string,
  data: Record<string, unknown>,
  read: Read = fromDisk,
  above: readonly string[] = [],
): string => {
  const { run, made } = compile(path, text)
  const include = (part: string, more: Record<string, unknown> = {}) => {
    if (!/^[\w.-]+(\/[\w.-]+)*$/.test(part) || part.includes('..'))
      throw new TypeError(`${part} is no name of a template`)
    if ([...above, path].includes(part)) throw new TypeError(`${part} includes itself`)
    return new Written(renderText(part, read(part), { ...data, ...more }, read, [...above, path]))
  }
  try {
    return run(strictData({ ...data, ...escapes, include }), printable)
  } catch (error) {
    throw error instanceof Problem ? error : refused(path, error, placeOf(error, path, text, made))
  }
}

type Compiled = { text: string; run: (data: object, print: typeof printable) => string; made: string }
const compiled = new Map<string, Compiled>()

/** EJS turns the template into JavaScript; it is compiled under the template's name, so that errors have a place. */
const compile = (path: string, text: string): Compiled => {
  const known = compiled.get(path)
  if (known?.text === text) return known
  refuseRaw(path, text)
  const template = new (ejs().Template)(text, { compileDebug: false, escape: printable as never })
  try {
    template.compile()
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw refused(path, error, undefined)
  }
  try {
    const made = template.source
    const run = compileFunction(made, ['locals', 'escapeFn'], { filename: nameOf(path) }) as Compiled['run']
    const result = { text, run, made }
    compiled.set(path, result)
    return result
  } catch (error) {
    throw refused(path, error, placeOf(error, path, text, template.source))
  }
}

const nameOf = (path: string) => `template:${path}.ejs`

/** Stacks name line and column; of a syntax error only the line, and a mark under the column. */
const placeOf = (error: unknown, path: string, text: string, made: string): TemplatePlace | undefined => {
  const stack = (error as Error).stack ?? ''
  const at = stack.indexOf(`${nameOf(path)}:`)
  if (at < 0) return undefined
  const [, line, column] = /^:(\d+)(?::(\d+))?/.exec(stack.slice(at + nameOf(path).length)) ?? []
  const mark = column ? Number(column) : (/^.*\n.*\n( *)\^/.exec(stack.slice(at))?.[1]?.length ?? 0) + 1
  return placeIn(text, made, { line: Number(line), column: mark })
}

const refuseRaw = (path: string, text: string) => {
  const raw = text.indexOf('<%-')
  if (raw >= 0) throw refused(path, new Error('<%- would put a value in unchecked; use <%='), placeAt(text, raw))
  const stray = /(?<!%)%>/.exec(text.replace(/<%(?!%)[\s\S]*?%>/g, it => it.replace(/[^\n]/g, ' ')))
  if (stray) throw refused(path, new Error('%> closes nothing and would vanish; write %%>'), placeAt(text, stray.index))
}

const printable = (value: unknown): string => {
  if (value instanceof Written) return value.text
  if (typeof value === 'string') {
    // In no grammar of ours is a value more than a part of a line, unless it was escaped.
    if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value))
      throw new TypeError(`${JSON.stringify(value.slice(0, 60))} has a line break or control character; escape it`)
    return value
  }
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  const kind =
    value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value === 'number' ? 'no number' : typeof value
  throw new TypeError(`a value to print is ${kind}`)
}

const refused = (path: string, cause: unknown, place: TemplatePlace | undefined) => {
  const file = `templates/${path}.ejs`
  return new Problem(`the template ${path} cannot be rendered`, {
    why: `${path}.ejs${place ? `:${place.line}:${place.column}` : ''}: ${(cause as Error).message.split('\n')[0]}`,
    next: `mend ${file} or the data it is given; nothing was touched`,
    exit: 2,
    cause,
    ...(place && { at: { file, ...place } }),
  })
}
