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
