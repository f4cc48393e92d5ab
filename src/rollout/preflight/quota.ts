import { quantity } from './amounts.ts'
import { disruption, phasesOf } from './downtime.ts'
import type { Check, Finding } from './finding.ts'
import { type Amounts, amountsOf } from './requests.ts'
import type { Moving, Quota } from './sight.ts'

/** A rolling update makes pods before it takes any away: quotas have to have room for these, in each phase. */
export const quota: Check = ({ moving, quotas }) =>
  quotas
    .filter(({ spec }) => !spec?.scopes && !spec?.scopeSelector)
    .flatMap(it => {
      // Templates of earlier turns are kept, so these add up over the phases.
      const sets = moving.filter(({ workload, begun }) => workload.kind === 'Deployment' && !begun)
      const revisions = short(it, [['count/replicasets.apps', sets.length]])
      const [first] = sets
      return [
        ...(first && revisions ? [finding(it, [first], revisions, 'stop')] : []),
        ...phasesOf(moving).flatMap(phase => inPhase(it, phase)),
      ]
    })

const inPhase = (quota: Quota, phase: Moving[]): Finding[] => {
  const adding = phase.map(it => ({ it, ...disruption(it) })).filter(({ extra }) => extra > 0)
  if (adding.length === 0) return []
  const sum = (of: (amounts: Amounts) => number) =>
    adding.reduce((all, { it, extra }) => all + of(amountsOf(it.template.spec)) * extra, 0)
  const pods = adding.reduce((all, { extra }) => all + extra, 0)
  const [cpu, memory] = [sum(it => it.cpu), sum(it => it.memory)]
  const needs: [name: string, amount: number][] = [
    ...([['pods', pods], ['count/pods', pods], ['cpu', cpu], ['requests.cpu', cpu], ['memory', memory]] as [string, number][]), // biome-ignore format: a table
    ['requests.memory', memory],
    ['limits.cpu', sum(it => it.limitCpu)],
    ['limits.memory', sum(it => it.limitMemory)],
  ]
  const lacks = short(quota, needs)
  if (!lacks) return []
  // Where pods may go first, a rolling update makes room by itself.
  const stuck = adding.some(({ down }) => down === 0)
  const those = adding.map(({ it }) => it)
  return [finding(quota, those, lacks, stuck ? 'stop' : 'note')]
}

/** What of these a quota has too little of, in words; null: nothing. */
const short = ({ spec, status }: Quota, needs: readonly (readonly [string, number])[]): string | null => {
  const hard = status?.hard ?? spec?.hard ?? {}
  const lacks = needs.flatMap(([name, more]) => {
    const [most, used] = [hard[name], status?.used?.[name] ?? '0']
    if (most === undefined || more === 0 || quantity(used) + more <= quantity(most) + 1e-6) return []
    return [`${name}: ${used} of ${most} are used, and ${written(name, more)} more needed`]
  })
  return lacks.length > 0 ? lacks.join('; ') : null
}

const written = (name: string, amount: number): string =>
  name.endsWith('memory')
    ? `${Math.ceil(amount / 2 ** 20)}Mi`
    : name.endsWith('cpu')
      ? `${Math.ceil(amount * 1000)}m`
      : String(amount)

const finding = ({ metadata }: Quota, these: Moving[], lacks: string, level: Finding['level']): Finding => {
  const [first, ...more] = these
  const also = more.length > 0 ? ` (with ${more.map(it => it.name).join(', ')})` : ''
  return {
    level,
    workload: first!.name,
    what: `ResourceQuota ${metadata.name} has no room for the pods that come first`,
    why: `${lacks}${also}`,
    next: level === 'stop' ? 'raise the quota, or make the batches smaller' : 'nothing: as many go before, so it only takes longer', // biome-ignore format: one
  }
}
