import { constraint, type Fault, invalid } from './answer.ts'

export type Body = Record<string, unknown>

/** Reads typed members of a body; null and absent are the same, as they are for the API. */
export const text = (body: Body, key: string): string | undefined => read(body, key, 'string') as string | undefined
export const flag = (body: Body, key: string): boolean | undefined => read(body, key, 'boolean') as boolean | undefined

export const count = (body: Body, key: string): number | undefined => {
  const value = read(body, key, 'number') as number | undefined
  if (value !== undefined && (!Number.isInteger(value) || value < 0)) throw constraint(key, 'must be a whole number')
  return value
}

export const texts = (body: Body, key: string): string[] | undefined => {
  const value = body[key] ?? undefined
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.some(it => typeof it !== 'string')) throw badFormat(key, 'a list of strings')
  return value as string[]
}

export const object = (body: Body, key: string): Body | undefined => {
  const value = body[key] ?? undefined
  if (value === undefined) return undefined
  if (typeof value !== 'object' || Array.isArray(value)) throw badFormat(key, 'an object')
  return value as Body
}

export const objects = (body: Body, key: string): Body[] | undefined => {
  const value = body[key] ?? undefined
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.some(it => typeof it !== 'object' || it === null)) throw badFormat(key, 'a list')
  return value as Body[]
}

export const textMap = (body: Body, key: string): Record<string, string> | undefined => {
  const value = object(body, key)
  if (value && Object.values(value).some(it => typeof it !== 'string')) throw badFormat(key, 'a map of strings')
  return value as Record<string, string> | undefined
}

export const oneOf = <T extends string>(body: Body, key: string, allowed: readonly T[]): T | undefined => {
  const value = text(body, key)
  if (value === undefined) return undefined
  if (!allowed.includes(value as T)) throw constraint(key, `must be one of ${allowed.join(', ')}`)
  return value as T
}

/** All missing ones at once, one detail each. */
export const require = (body: Body, ...keys: string[]) => {
  const missing = keys.filter(key => body[key] === undefined || body[key] === null || body[key] === '')
  const detail = (argument_name: string): Fault => ({
    argument_name,
    reason: 'required',
    help_message: 'required key not provided',
  })
  if (missing.length) throw invalid(...missing.map(detail))
}

const read = (body: Body, key: string, type: string): unknown => {
  const value = body[key] ?? undefined
  if (value !== undefined && typeof value !== type) throw badFormat(key, `a ${type}`)
  return value
}

const badFormat = (argument_name: string, wanted: string) =>
  invalid({ argument_name, reason: 'format', help_message: `must be ${wanted}` })
