import { setTimeout as delay } from 'node:timers/promises'
import type { RolloutPhase } from '../../../playbooks/rollout.ts'
import { readJournals } from '../../engine/journal.ts'
import type { ExitCode } from '../../engine/problem.ts'
import { Problem } from '../../engine/problem.ts'
import type { Context } from '../../inventory/context.ts'
import { createPulse } from '../../rollout/kube/pulse.ts'
import { withOnly } from '../limit.ts'
import { clusterOf, lookAtRun, lookAtWorkloads, runLine, type View, viewTable } from '../rollout/view.ts'
import type { Session } from '../session.ts'
import { finish, noChanges } from '../summary.ts'

const LEAST_MS = 1000

/**
 * Shows a rollout by workload until its run ends, or somebody has seen enough. Looks at the cluster alone, and the less
 * often the longer a look takes. On a terminal one picture over the other, elsewhere what has changed. Of a run that
 * `--limit` has narrowed it shows those tenants alone, in the phases of that run.
 */
export const watchRollout = async (session: Session, phasesOf: PhasesOf): Promise<ExitCode> => {
  const { output, world, state, context } = session
  const kube = clusterOf(session)
  if (!kube) throw nothingToWatch()
  const phases = inPart(context, phasesOf)
  const isDead = createPulse()
  const { isTTY = false } = process.stdout
  let last = ''
  while (!world.stop.aborted) {
    const began = performance.now()
    const run = await lookAtRun(kube, context)
    const view = { run, workloads: await lookAtWorkloads(kube, phases(run?.tenants), readJournals(state)) }
    const dead = isDead(run?.lease ?? null)
    const text = `${runLine(view.run, dead)}\n\n${viewTable(view.workloads)}`
    if (text !== last) output.event('watch', shown(view, dead))
    if (text !== last) output.data(`${isTTY ? '\x1b[H\x1b[2J' : last === '' ? '' : '\n'}${text}`)
    last = text
    if (!view.run || dead) break
    const pause = Math.max(LEAST_MS, 4 * (performance.now() - began))
    await delay(pause, undefined, { signal: world.stop }).catch(() => undefined)
  }
  return finish(session, { status: 'ok', changes: noChanges })
}

type PhasesOf = (context: Context) => RolloutPhase[]

const inPart = (context: Context, phasesOf: PhasesOf) => {
  const known = new Map<string, RolloutPhase[]>()
  return (names: readonly string[] = []): RolloutPhase[] => {
    const tenants = context.tenants.filter(it => names.includes(it.tenant))
    const key = tenants.map(it => it.tenant).join(' ')
    const phases = known.get(key) ?? phasesOf(tenants.length === 0 ? context : withOnly(context, tenants))
    known.set(key, phases)
    return phases
  }
}

const shown = ({ run, workloads }: View, dead: boolean) => {
  if (!run) return { run, workloads }
  const { holder, since, phase = null, paused = null } = run
  return { run: { holder, since, phase, paused, dead }, workloads }
}

const nothingToWatch = () =>
  new Problem('there is no cluster to look at', {
    why: 'no kubeconfig of this context is on this machine',
    next: 'deploy first, or name one as cluster.kubeconfig',
  })
