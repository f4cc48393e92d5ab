/** What a request gets. `body` is sent as JSON; `text` as it is, with its own type. */
export type Answer = {
  status: number
  body?: unknown
  text?: { type: string; content: string }
  headers?: Record<string, string>
}

/** An answer that ends the request early, thrown from anywhere below a handler. */
export class Refusal extends Error {
  readonly answer: Answer

  constructor(answer: Answer) {
    super(`refused with ${answer.status}: ${JSON.stringify(answer.body ?? null)}`)
    this.answer = answer
  }
}

export const ok = (body: unknown, headers?: Record<string, string>): Answer =>
  headers ? { status: 200, body, headers } : { status: 200, body }
export const created = (body: unknown): Answer => ({ status: 201, body })
export const accepted = (body: unknown): Answer => ({ status: 202, body })
export const noContent: Answer = { status: 204 }

const refusal = (status: number, body: object) => new Refusal({ status, body })

export type Fault = {
  argument_name: string
  reason: 'required' | 'format' | 'constraint' | 'unknown'
  help_message: string
}

export const invalid = (...details: Fault[]) =>
  refusal(400, { type: 'invalid_arguments', message: 'invalid argument(s)', details })

export const constraint = (argument_name: string, help_message: string) =>
  invalid({ argument_name, reason: 'constraint', help_message })

export const unauthenticated = (reason: 'not_found' | 'invalid_argument') =>
  refusal(401, { type: 'denied_authentication', method: 'api_key', reason, message: 'authentication is denied' })

export const forbidden = (action: string, resource: string) =>
  refusal(403, { type: 'permissions_denied', message: 'insufficient permissions', details: [{ action, resource }] })

export const quotaExceeded = (resource: string, quota: number, current: number) =>
  refusal(403, { type: 'quotas_exceeded', message: 'quota(s) exceeded', details: [{ resource, quota, current }] })

export const notFound = (resource: string, resource_id: string) =>
  refusal(404, { type: 'not_found', message: 'resource is not found', resource, resource_id })

export const transient = (resource: string, resource_id: string, current_state: string) =>
  refusal(409, {
    type: 'transient_state',
    message: 'resource is in a transient state',
    resource,
    resource_id,
    current_state,
  })

export const exists = (resource: string, resource_id: string, help_message: string) =>
  refusal(409, { type: 'already_exists', message: 'resource already exists', resource, resource_id, help_message })

export const precondition = (name: string, help_message: string, status = 412) =>
  refusal(status, {
    type: 'precondition_failed',
    message: 'precondition is not respected',
    precondition: name,
    help_message,
  })

/** The world behind the API did not do as told. */
export const broken = (message: string) => refusal(500, { type: 'internal', message })
