import type { Moved } from '../../../playbooks/rollout.ts'
import { type Recorded, readJournals } from '../../engine/journal.ts'
import { calledAs, isLeaving } from '../../rollout/workload.ts'
import { readRollout } from '../../rollout/workloads/read.ts'
import { kubeOf } from '../kube-of.ts'
import type { Staged } from '../staged.ts'

/**
 * CronJobs of which no Job runs now, each told: there is no pod to ask, and what they proved when they moved is enough.
 * `proved`: whether the journals say that they did.
 */
export const betweenJobs = async (
  staged: Staged,
  moves: readonly Moved[],
  proved: (history: readonly Recorded[], move: Moved) => boolean,
  say: (line: string) => void,
): Promise<ReadonlySet<Moved>> => {
  const crons = moves.filter(it => it.workload.kind === 'CronJob')
  if (crons.length === 0) return new Set()
  const history = readJournals(staged.session.state)
  const idle = new Set<Moved>()
  for (const it of crons) {
    const rollout = await readRollout(kubeOf(staged), { namespace: it.tenant.namespace, ...it.workload })
    if (rollout?.current.some(pod => !isLeaving(pod)) || !proved(history, it)) continue
    say(`${it.tenant.tenant}/${calledAs(it.workload)}: no Job of it runs; proved when it moved`)
    idle.add(it)
  }
  return idle
}
