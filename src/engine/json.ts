export type Json = null | boolean | number | string | Json[] | { [key: string]: Json | undefined }

/** Order of keys does not matter, undefined members do not exist. */
export const sameJson = (a: Json | undefined, b: Json | undefined): boolean => canonical(a) === canonical(b)

/** JSON text with sorted keys: equal values give equal text. */
export const canonical = (value: Json | undefined): string =>
  JSON.stringify(value, (_key, it: unknown) =>
    isObject(it) ? Object.fromEntries(Object.entries(it).sort(([a], [b]) => (a < b ? -1 : 1))) : it,
  ) ?? 'undefined'

const isObject = (it: unknown): it is Record<string, unknown> =>
  typeof it === 'object' && it !== null && !Array.isArray(it)
