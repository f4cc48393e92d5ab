import { nearest } from '../engine/nearest.ts'
import type { Path } from './document.ts'
import type { Say } from './say.ts'
import type { ContextFile } from './schema-context.ts'
import type { TenantFile } from './schema-tenant.ts'
import type { Parts } from './validate.ts'

/** The pools of the context: each with a name of its own, and for tenants that there are. */
export const checkPools = ({ cluster }: Parts<ContextFile>, tenants: readonly Parts<TenantFile>[], say: Say): void => {
  const pools = cluster?.pools ?? []
  const names = pools.map(it => it?.name)
  const known = tenants.flatMap(it => (it.tenant ? [it.tenant] : []))
  for (const [at, pool] of pools.entries()) {
    const here = ['cluster', 'pools', at]
    if (!pool) continue
    const { name, type, tenant } = pool
    if (name && names.indexOf(name) < at)
      say([...here, 'name'], `two pools are named ${name}`, 'pools are known by name', 'rename one')
    if (!cluster?.kubeconfig) checkPoolType([...here, 'type'], type, say)
    checkScaling(here, pool, say)
    if (!tenant || known.includes(tenant) || known.length < tenants.length) continue
    const near = nearest(tenant, known)
    const next = near ? `did you mean ${near}?` : `add tenants/${tenant}.yaml, or leave tenant out`
    const why = `the tenants are ${known.join(', ') || 'none'}`
    say([...here, 'tenant'], `the pool ${name ?? ''} is for ${tenant}, who is no tenant here`, why, next)
  }
}

export const checkScaling = (path: Path, pool: Parts<TenantFile>['pool'], say: Say): void => {
  const { min, max } = pool?.autoscaling ?? {}
  if (max === undefined) return
  if (min !== undefined && min > max) {
    const what = `a pool cannot have at least ${min} and at most ${max} nodes`
    say([...path, 'autoscaling'], what, 'min is above max', 'swap them')
  } else if ((pool?.size ?? 0) > max) {
    const why = 'with autoscaling, size is what it starts with'
    say(
      [...path, 'size'],
      `a pool of at most ${max} nodes cannot start with ${pool?.size}`,
      why,
      `write at most ${max}`,
    )
  }
}

/** @see https://www.scaleway.com/en/docs/kubernetes/ */
export const checkPoolType = (path: Path, type: string | undefined, say: Say): void => {
  if (!type || !tooSmall.includes(type.toUpperCase().replaceAll('_', '-'))) return
  say(path, `a ${type} cannot be a node`, 'Kapsule takes no type with so little memory', 'take DEV1-M or a larger one')
}

const tooSmall = ['DEV1-S', 'PLAY2-PICO', 'STARDUST1-S']
