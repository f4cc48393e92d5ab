export type WorkloadRef = { kind: 'Deployment'; name: string }

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
 * together, the first with the first; a tenant with nothing to move in a batch is left out of it.
 */
export const phases = (tenants: TenantPlan[]): Phase[] => {
  const rounds = Math.max(0, ...tenants.map(it => (othersOf(it).length > 0 ? it.batches.length : 0)))
  const expand = Array.from({ length: rounds }, (_, index): Phase => {
    const moving = tenants.map(it => ({ tenant: it.tenant, part: batch(it, index) })).filter(it => it.part.length > 0)
    return {
      name: `expand ${index + 1}/${rounds}`,
      tenants: moving.map(it => it.tenant),
      workloads: moving.flatMap(({ tenant, part }) => part.map(it => ({ tenant, ...it }))),
    }
  })
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
