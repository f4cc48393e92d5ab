import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { accountOf } from '../admission/accounts.ts'
import type { Attempt, Caller } from '../admission/rbac.ts'
import { admin, mayDo, refusal, serviceAccount } from '../admission/rbac.ts'
import { forbidden, Refused } from '../objects/status.ts'
import type { Store } from '../objects/store.ts'
import type { Target } from './requests.ts'

type Parts = { store: Store; token: string }

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Who asks, or whom the admin lets it speak for (`kubectl --as`); throws 401 where that is nobody. */
export const authenticate = (parts: Parts, request: IncomingMessage): Caller => {
  const { store, token } = parts
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
  const caller = timingSafeEqual(digest(given), digest(token)) ? admin : accountOf(store, given, token)
  if (!caller) throw new Refused(401, 'Unauthorized', 'Unauthorized')
  const user = request.headers['impersonate-user']
  if (typeof user !== 'string') return caller
  const may = mayDo(store, caller, { verb: 'impersonate', resource: 'users', name: user })
  if (!may.allowed) {
    const why = refusal(caller, { verb: 'impersonate', resource: 'users' })
    throw new Refused(403, 'Forbidden', `users "${user}" is forbidden: ${why}`, { name: user, kind: 'users' })
  }
  const [, , namespace, name] = user.startsWith('system:serviceaccount:') ? user.split(':') : []
  if (namespace && name) return serviceAccount(namespace, name)
  const groups = [request.headersDistinct['impersonate-group'] ?? []].flat()
  return { user, groups: [...groups, 'system:authenticated'] }
}

/** Throws 403 where the caller has no role for it. */
export const authorize = ({ store }: Parts, caller: Caller, target: Target, verb: string): void => {
  const { of, namespace, name, sub } = target
  const attempt: Attempt = { verb, group: of.group, resource: of.plural, sub, namespace, name }
  if (!mayDo(store, caller, attempt).allowed) throw forbidden(of, name ?? '', refusal(caller, attempt))
}
