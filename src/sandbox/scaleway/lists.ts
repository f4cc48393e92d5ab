import { ok } from './answer.ts'
import type { Ask } from './router.ts'

const mostPerPage = 100

/** A page the newer APIs' way: `total_count` beside the rows. */
export const page = (key: string, rows: unknown[], { query }: Pick<Ask, 'query'>) => {
  const order = query.get('order_by') ?? ''
  const sorted = order.endsWith('_desc') ? rows.toReversed() : rows
  return ok({ [key]: slice(sorted, query, 'page_size', 20), total_count: rows.length })
}

/** A page the Instance API's way: the count is in a header. Only what is on the page is made to be shown. */
export const instancePage = <T>(
  key: string,
  rows: T[],
  { query }: Pick<Ask, 'query'>,
  show: (row: T) => unknown = it => it,
) => ok({ [key]: slice(rows, query, 'per_page', 50).map(it => show(it)) }, { 'x-total-count': String(rows.length) })

export const slice = <T>(rows: T[], query: URLSearchParams, sizeKey: string, fallback: number): T[] => {
  const size = Math.min(mostPerPage, positive(query.get(sizeKey)) ?? fallback)
  const first = ((positive(query.get('page')) ?? 1) - 1) * size
  return rows.slice(first, first + size)
}

/** `name` matches any part of a name. */
export const nameHas = ({ query }: Ask, name: string, key = 'name') => name.includes(query.get(key) ?? '')

/** Newer APIs: one tag of those asked for is enough. */
export const anyTag = ({ query }: Ask, tags: string[]) => {
  const wanted = query
    .getAll('tags')
    .flatMap(it => it.split(','))
    .filter(Boolean)
  return wanted.length === 0 || wanted.some(it => tags.includes(it))
}

/** The Instance API: all of them, joined with commas. */
export const allTags = ({ query }: Ask, tags: string[]) =>
  query
    .getAll('tags')
    .flatMap(it => it.split(','))
    .filter(Boolean)
    .every(it => tags.includes(it))

/** True when the query does not ask, or asks for this value (one of a repeated or comma-joined list). */
export const asks = ({ query }: Ask, key: string, value: string | null | undefined) => {
  const wanted = query
    .getAll(key)
    .flatMap(it => it.split(','))
    .filter(it => it && !it.startsWith('unknown'))
  return wanted.length === 0 || (typeof value === 'string' && wanted.includes(value))
}

const positive = (text: string | null): number | undefined => {
  const value = Number(text)
  return text && Number.isInteger(value) && value > 0 ? value : undefined
}
