import type { Loose } from './object.ts'
import type { Resource } from './resources.ts'

/** An answer that is not success, as the API says it: a Status object with its HTTP code. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly code: number
  readonly body: Loose

  constructor(code: number, reason: string, message: string, details?: Loose) {
    super(message)
    this.code = code
    this.body = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      ...(details && { details }),
      code,
    }
  }
}

const qualified = (of: Resource) => (of.group ? `${of.plural}.${of.group}` : of.plural)
const details = (of: Resource, name: string, more: Loose = {}) => ({
  name,
  ...(of.group && { group: of.group }),
  kind: of.plural,
  ...more,
})

export const notFound = (of: Resource, name: string) =>
  new Refused(404, 'NotFound', `${qualified(of)} "${name}" not found`, details(of, name))

export const alreadyExists = (of: Resource, name: string) =>
  new Refused(409, 'AlreadyExists', `${qualified(of)} "${name}" already exists`, details(of, name))

export const conflict = (of: Resource, name: string, why: string) =>
  new Refused(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(of)} "${name}": ${why}`, details(of, name))

export const stale = (of: Resource, name: string) =>
  conflict(of, name, 'the object has been modified; please apply your changes to the latest version and try again')

export const forbidden = (of: Resource, name: string, why: string) =>
  new Refused(
    403,
    'Forbidden',
    `${qualified(of)}${name && ` "${name}"`} is forbidden: ${why}`,
    name ? details(of, name) : { ...(of.group && { group: of.group }), kind: of.plural },
  )

/** The identity or version that a deletion was meant for is not the one that is there. */
export const notTheOne = (of: Resource, name: string, what: 'UID' | 'ResourceVersion', wanted: string, has: string) => {
  const kind = of.group ? `${of.kind}.${of.group}` : of.kind
  const since = what === 'UID' ? 'deleted and then recreated' : 'modified'
  const why = `the ${what} in the precondition (${wanted}) does not match the ${what} in record (${has}). The object might have been ${since}`
  const more = { name, ...(of.group && { group: of.group }), kind: of.kind }
  return new Refused(409, 'Conflict', `Operation cannot be fulfilled on ${kind} "${name}": ${why}`, more)
}

export const badRequest = (message: string) => new Refused(400, 'BadRequest', message)

/** What a write or a watch says where the real one forgot to say whose mistake it is. */
export const internal = (message: string) => {
  const refused = new Refused(500, 'InternalError', message)
  delete refused.body.reason
  return refused
}

/** A version that only will be. */
export const notYet = (asked: number, current: number) =>
  new Refused(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })

/** Options of a request that are none, or do not go together. */
export const invalidOptions = (
  mistakes: { field: string; message: string; reason?: Mistake['reason'] }[],
  kind = 'ListOptions',
) => {
  const causes = mistakes.map(({ field, message, reason = 'FieldValueForbidden' as const }) => ({
    reason,
    message: reason === 'FieldValueForbidden' ? `Forbidden: ${message}` : message,
    field,
  }))
  const texts = causes.map(it => `${it.field}: ${it.message}`)
  const text = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  const details = { group: 'meta.k8s.io', kind, causes }
  return new Refused(422, 'Invalid', `${kind}.meta.k8s.io "" is invalid: ${text}`, details)
}

export const expired = (message: string) => new Refused(410, 'Expired', message)

export type Mistake = {
  field: string
  reason: `FieldValue${'Invalid' | 'Required' | 'Forbidden' | 'NotSupported' | 'Duplicate' | 'NotFound'}`
  message: string
}

export const invalid = (of: Resource, name: string, mistakes: Mistake[]) => {
  const texts = mistakes.map(it => `${it.field}: ${it.message}`)
  const kind = of.group ? `${of.kind}.${of.group}` : of.kind
  const text = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  const causes = mistakes.map(it => ({ reason: it.reason, message: it.message, field: it.field }))
  const more = { ...(of.group && { group: of.group }), kind: of.kind, name, causes }
  return new Refused(422, 'Invalid', `${kind} "${name}" is invalid: ${text}`, more)
}
