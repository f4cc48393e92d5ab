import type { Obj } from '../objects/object.ts'
import { keyOf } from '../objects/object.ts'
import type { Resource } from '../objects/resources.ts'
import { badRequest, expired, invalidOptions, notYet } from '../objects/status.ts'
import type { Store } from '../objects/store.ts'

export type Page = { items: Obj[]; version: number; next?: string; remaining?: number }

type What = { of: Resource; namespace: string | undefined; matches(obj: Obj): boolean }

/** A page of a list as `limit`, `continue` and `resourceVersion` ask for it; all pages of one list are of one moment. */
export const pageOf = (store: Store, { of, namespace, matches }: What, query: URLSearchParams): Page => {
  if (query.has('sendInitialEvents'))
    throw invalidOptions([{ field: 'sendInitialEvents', message: 'sendInitialEvents is forbidden for list' }])
  const from = decode(query.get('continue'))
  const version = from?.version ?? momentOf(store, query)
  let all: Obj[]
  try {
    all = version === store.version ? store.sorted(of, namespace) : store.sortedAt(version, of, namespace)
  } catch {
    throw expired(
      from
        ? 'The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.'
        : `The resourceVersion for the provided list is too old.`,
    )
  }
  const rest = all.filter(it => matches(it) && (!from || relative(it, namespace) > from.after))
  const limit = Number(query.get('limit') ?? 0)
  if (limit <= 0 || rest.length <= limit) return { items: rest, version }
  const items = rest.slice(0, limit)
  const isWhole = !query.get('labelSelector') && !query.get('fieldSelector')
  return {
    items,
    version,
    next: encode({ version, after: relative(items.at(-1)!, namespace) }),
    ...(isWhole && { remaining: rest.length - limit }),
  }
}

/** Which version of the world a list is of. */
const momentOf = (store: Store, query: URLSearchParams): number => {
  const asked = query.get('resourceVersion') ?? ''
  const match = query.get('resourceVersionMatch')
  if (match && !asked)
    throw invalidOptions([
      {
        field: 'resourceVersionMatch',
        message: 'resourceVersionMatch is forbidden unless resourceVersion is provided',
      },
    ])
  if (asked && !/^\d+$/.test(asked)) throw badRequest(`invalid resource version: ${noVersion(asked)}`)
  if (Number(asked) > store.version) throw notYet(Number(asked), store.version)
  return match === 'Exact' ? Number(asked) : store.version
}

export const noVersion = (text: string): string =>
  `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`

const relative = (obj: Obj, namespace: string | undefined) => (namespace === undefined ? keyOf(obj) : obj.metadata.name)

const encode = ({ version, after }: { version: number; after: string }): string =>
  Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start: `${after}\u0000` })).toString('base64url')

const decode = (token: string | null): { version: number; after: string } | undefined => {
  if (!token) return undefined
  try {
    const { v, rv, start } = JSON.parse(Buffer.from(token, 'base64url').toString())
    if (v === 'meta.k8s.io/v1' && Number.isInteger(rv) && typeof start === 'string')
      return { version: rv, after: start.replace(/\0$/, '') }
  } catch {
    // Said below, as for what is JSON and no token.
  }
  throw badRequest('invalid continue token: continue key is not valid: it was not made here')
}
