import type { Loose } from './object.ts'
import type { Mistake } from './status.ts'

export const bad = (field: string, value: Loose, why: string): Mistake => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
})

export const missing = (field: string, why = ''): Mistake => ({
  field,
  reason: 'FieldValueRequired',
  message: `Required value${why && `: ${why}`}`,
})

export const barred = (field: string, why: string): Mistake => ({
  field,
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${why}`,
})

export const unknown = (field: string, value: Loose, known: string[]): Mistake => ({
  field,
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${known.map(it => JSON.stringify(it)).join(', ')}`,
})

export const twice = (field: string, value: Loose): Mistake => ({
  field,
  reason: 'FieldValueDuplicate',
  message: `Duplicate value: ${JSON.stringify(value)}`,
})

export const lost = (field: string, value: Loose): Mistake => ({
  field,
  reason: 'FieldValueNotFound',
  message: `Not found: ${JSON.stringify(value)}`,
})
