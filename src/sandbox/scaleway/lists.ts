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
  ask: Pick<Ask, 'query' | 'path'>,
  show: (row: T) => unknown = it => it,
) => ok({ [key]: slice(rows, ask.query, 'per_page', 50).map(it => show(it)) }, pageHeaders(rows.length, ask))

/** How many there are, and where the other pages are: relative to the service, as it spells them. */
export const pageHeaders = (total: number, { query, path }: Pick<Ask, 'query' | 'path'>) => {
  const size = Math.min(mostPerPage, positive(query.get('per_page')) ?? 50)
  const [page, last] = [positive(query.get('page')) ?? 1, Math.ceil(total / size)]
  const below = path.replace(/^\/instance\/[^/]+\/zones\/[^/]+/, '')
  const link = (to: number, rel: string) => `<${below}?page=${to}&per_page=${size}&>; rel="${rel}"`
  const links = [
    ...(page > 1 ? [link(1, 'first'), link(page - 1, 'previous')] : []),
    ...(page < last ? [link(page + 1, 'next')] : []),
    link(last, 'last'),
  ]
  return { 'x-total-count': String(total), link: links.join(',') }
}

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
