import { Problem } from '../../engine/problem.ts'

/** What an API server answers instead of an object. */
export type Status = {
  code?: number
  reason?: string
  message?: string
  details?: { retryAfterSeconds?: number; causes?: { reason?: string; message?: string; field?: string }[] }
}

/** A field that another manager owns with another value. */
export type FieldConflict = { manager: string; field: string }

/** A call to the Kubernetes API that did not do what it should. `status` 0: no answer at all. */
export class KubeProblem extends Problem {
  readonly status: number
  readonly reason: string
  readonly conflicts: FieldConflict[]

  constructor(what: string, why: string, next: string, status: number, reason = '', conflicts: FieldConflict[] = []) {
    super(what, { why, next })
    this.status = status
    this.reason = reason
    this.conflicts = conflicts
  }
}

export const isGone = (thrown: unknown): boolean => thrown instanceof KubeProblem && thrown.status === 404

/** The Problem for a refusal; `doing` is what was tried, e.g. `apply Deployment a/b`. */
export const refusal = (doing: string, server: string, code: number, status: Status): KubeProblem => {
  const message = status.message || `HTTP ${code}`
  const conflicts = (status.details?.causes ?? [])
    .filter(it => it.reason === 'FieldManagerConflict')
    .map(it => ({ manager: /"([^"]*)"/.exec(it.message ?? '')?.[1] ?? 'unknown', field: it.field ?? '' }))
  const problem = (why: string, next: string) =>
    new KubeProblem(`${doing}: refused`, why, next, code, status.reason ?? '', conflicts)
  if (code === 401) return problem(`${server} does not know these credentials`, 'renew the kubeconfig, then run again')
  if (code === 403) return problem(message, 'give this user the right named above, then run again')
  if (conflicts.length > 0) {
    const fields = conflicts.map(it => `${it.field} belongs to ${it.manager}`).join('; ')
    return problem(fields, 'let that manager give the fields up, or take them out of what is wanted here')
  }
  if (code === 429) return problem(`${server} asks for fewer requests: ${message}`, 'run again later')
  if (code >= 500) return problem(`${server} failed: ${message}`, 'look at the API server, then run again')
  return problem(message, 'mend what the message names, then run again')
}

/** The Problem for a call that got no answer. */
export const silence = (doing: string, server: string, cause: unknown): KubeProblem => {
  const text = reasonOf(cause)
  const untrusted = isUntrusted(cause)
  return new KubeProblem(
    `${doing}: no answer`,
    untrusted ? `the certificate of ${server} is not trusted: ${text}` : `${server} cannot be reached: ${text}`,
    untrusted
      ? 'check certificate-authority and server in the kubeconfig'
      : 'check that the cluster runs and is routed',
    0,
  )
}

/** Asking again does not make a certificate trusted. */
export const isUntrusted = (thrown: unknown): boolean =>
  /self.signed|unable to (verify|get)|CERT|altname/i.test(reasonOf(thrown))

/** `fetch failed` says nothing; its cause does. */
export const reasonOf = (thrown: unknown): string => {
  if (!(thrown instanceof Error)) return String(thrown)
  if (thrown.cause instanceof Error) return reasonOf(thrown.cause)
  const { code } = thrown as NodeJS.ErrnoException
  return code && !thrown.message.includes(code) ? `${thrown.message} (${code})` : thrown.message || String(code)
}
