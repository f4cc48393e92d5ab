import type { WorkloadRef } from './workload.ts'

/** A tenant's part in a rollout. `workloads` in the declared order; the canary may be among them. */
export type TenantPlan = {
  tenant: string
  canary: WorkloadRef
  workloads: WorkloadRef[]
  /** Cumulative, over the workloads without the canary: `['50%', '100%']`, or counts: `['2', '100%']`. */
  batches: string[]
}

export type Phase = { name: string; tenants: string[]; workloads: (WorkloadRef & { tenant: string })[] }

/**
 * Who moves when. `gateway` moves nobody: it is where the proxies are proved. Batches of several tenants go
 * together, the first with the first; a batch, or a tenant in it, with nothing to move is left out.
 */
export const phases = (tenants: TenantPlan[]): Phase[] => {
  const most = Math.max(0, ...tenants.map(it => it.batches.length))
  const rounds = Array.from({ length: most }, (_, index) =>
    tenants.map(it => ({ tenant: it.tenant, part: batch(it, index) })).filter(it => it.part.length > 0),
  ).filter(it => it.length > 0)
  const expand = rounds.map(
    (moving, index): Phase => ({
      name: `expand ${index + 1}/${rounds.length}`,
      tenants: moving.map(it => it.tenant),
      workloads: moving.flatMap(({ tenant, part }) => part.map(it => ({ tenant, ...it }))),
    }),
  )
  const all = tenants.map(it => it.tenant)
  return [
    { name: 'gateway', tenants: all, workloads: [] },
    { name: 'canary', tenants: all, workloads: tenants.map(({ tenant, canary }) => ({ tenant, ...canary })) },
    ...expand,
  ]
}

const batch = (plan: TenantPlan, index: number): WorkloadRef[] => {
  const others = othersOf(plan)
  const upTo = (at: number) =>
    at < 0 ? 0 : countOf(plan.batches[Math.min(at, plan.batches.length - 1)], others.length)
  return others.slice(upTo(index - 1), upTo(index))
}

const othersOf = ({ canary, workloads }: TenantPlan): WorkloadRef[] =>
  workloads.filter(it => it.kind !== canary.kind || it.name !== canary.name)

/** Rounded up: a batch that says some moves at least one. */
const countOf = (batch: string | undefined, total: number): number => {
  const [, amount, percent] = /^(\d+)(%?)$/.exec(batch ?? '') ?? []
  if (amount === undefined) throw new RangeError(`not a batch: ${batch}`)
  return Math.min(total, percent ? Math.ceil((total * Number(amount)) / 100) : Number(amount))
}
