import type { WorkloadRef } from './workload.ts'

/** A tenant's part in a rollout. `workloads` in the declared order; the canary may be among them. */
export type TenantPlan = {
  tenant: string
  canary: WorkloadRef
  workloads: WorkloadRef[]
  /** Cumulative, over the workloads without the canary: `['50%', '100%']`, or counts: `['2', '100%']`. */
  batches: string[]
  /** No phase that this tenant is in moves more workloads, of whichever tenants. Absent: as many as the batches say. */
  maxUnverified?: number | undefined
}

type Move = WorkloadRef & { tenant: string }
export type Phase = { name: string; tenants: string[]; workloads: Move[] }

/**
 * Who moves when. `gateway` moves nobody: it is where the proxies are proved. Batches of several tenants go together,
 * the first with the first; with `maxTenants`, so many tenants go whole before the next do. A phase moves what is
 * unverified at one time: a batch over `maxUnverified` is several; one, or a tenant in it, with nothing to move is none.
 */
export const phases = (
  tenants: TenantPlan[],
  { maxTenants = Math.max(1, tenants.length) }: { maxTenants?: number | undefined } = {},
): Phase[] => {
  const limits = new Map(tenants.map(it => [it.tenant, it.maxUnverified ?? Number.POSITIVE_INFINITY]))
  const inLimits = (moves: Move[]): Move[][] => parts(moves, Math.min(...moves.map(it => limits.get(it.tenant)!)))
  const moving = parts(tenants, maxTenants).flatMap(some => [
    ...inLimits(some.map(({ tenant, canary: { kind, name } }) => ({ tenant, kind, name }))).map(canaryOf),
    ...rounds(some).flatMap(inLimits).map(expandOf),
  ])
  const named = (short: Short) => {
    const all = moving.filter(it => it.short === short)
    return new Map(all.map((it, at) => [it, all.length === 1 && short === 'canary' ? short : nth(short, at, all)]))
  }
  const names = new Map([...named('canary'), ...named('expand')])
  return [
    { name: 'gateway', tenants: tenants.map(it => it.tenant), workloads: [] },
    ...moving.map(it => ({
      name: names.get(it)!,
      tenants: [...new Set(it.moves.map(move => move.tenant))],
      workloads: it.moves,
    })),
  ]
}

type Short = 'canary' | 'expand'
const canaryOf = (moves: Move[]) => ({ short: 'canary' as Short, moves })
const expandOf = (moves: Move[]) => ({ short: 'expand' as Short, moves })
const nth = (short: Short, at: number, all: readonly unknown[]) => `${short} ${at + 1}/${all.length}`

/** Phases of several tenants after each other are `canary 1/2` and so on. */
export const isCanary = ({ name }: { name: string }): boolean => name.split(' ')[0] === 'canary'

/** The batches of tenants side by side. */
const rounds = (tenants: TenantPlan[]): Move[][] => {
  const most = Math.max(0, ...tenants.map(it => it.batches.length))
  return Array.from({ length: most }, (_, at) =>
    tenants.flatMap(it => batch(it, at).map(({ kind, name }) => ({ tenant: it.tenant, kind, name }))),
  ).filter(it => it.length > 0)
}

const parts = <T>(all: readonly T[], size: number): T[][] =>
  Number.isFinite(size)
    ? Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size))
    : [[...all]]

const batch = (plan: TenantPlan, index: number): WorkloadRef[] => {
  const others = othersOf(plan)
  const { batches } = plan
  // Counts and percentages may be mixed: a batch never takes back what an earlier one said.
  const upTo = (at: number) =>
    Math.max(0, ...batches.slice(0, Math.min(at, batches.length - 1) + 1).map(it => countOf(it, others.length)))
  return others.slice(index === 0 ? 0 : upTo(index - 1), upTo(index))
}

const othersOf = ({ canary, workloads }: TenantPlan): WorkloadRef[] =>
  workloads.filter(it => it.kind !== canary.kind || it.name !== canary.name)

/** Rounded up: a batch that says some moves at least one. */
const countOf = (batch: string | undefined, total: number): number => {
  const [, amount, percent] = /^(\d+)(%?)$/.exec(batch ?? '') ?? []
  if (amount === undefined) throw new RangeError(`not a batch: ${batch}`)
  return Math.min(total, percent ? Math.ceil((total * Number(amount)) / 100) : Number(amount))
}
