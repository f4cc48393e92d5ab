import { nearest } from '../engine/nearest.ts'
import type { Say } from './say.ts'
import type { ContextFile } from './schema-context.ts'
import type { TenantFile } from './schema-tenant.ts'
import type { Parts } from './validate.ts'

/** The order of tenants names each at most once, and only tenants that there are. */
export const checkOrder = ({ rollout }: Parts<ContextFile>, tenants: readonly Parts<TenantFile>[], say: Say) => {
  const known = tenants.flatMap(it => (it.tenant ? [it.tenant] : []))
  const order = rollout?.order ?? []
  for (const [at, name] of order.entries()) {
    if (name === undefined) continue
    const path = ['rollout', 'order', at]
    if (order.indexOf(name) < at) say(path, `tenant ${name} is there twice`, 'it has one place', 'take one out')
    else if (!known.includes(name)) {
      const near = nearest(name, known)
      const why = `the tenants are ${known.join(', ')}`
      say(path, `there is no tenant ${name}`, why, near ? `did you mean ${near}?` : 'name one of these')
    }
  }
}
