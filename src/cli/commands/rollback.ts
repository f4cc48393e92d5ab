import { type Entry, type Recorded, readJournals } from '../../engine/journal.ts'
import type { ExitCode } from '../../engine/problem.ts'
import { Problem } from '../../engine/problem.ts'
import { standing, type ToUndo } from '../../engine/undo.ts'
import { table } from '../../report/table.ts'
import { egressAddress } from '../../rollout/probe.ts'
import { calledAs, type WorkloadRef } from '../../rollout/workload.ts'
import { agreed } from '../confirm.ts'
import type { Flags } from '../flags.ts'
import { progressFor } from '../progress.ts'
import { adopt } from '../rollout/adopt.ts'
import { heard } from '../rollout/ear.ts'
import { refuseLosingGround, refuseUnknown } from '../rollout/ground.ts'
import { leadEarly } from '../rollout/leader.ts'
import { stuck } from '../rollout/phase.ts'
import { isOf, isRollout } from '../rollout/steps.ts'
import { leftProbes, undoRollout } from '../rollout/undo.ts'
import type { Session } from '../session.ts'
import { finish, noChanges } from '../summary.ts'

/** Undoes a rollout from the journal alone: to the start, to a phase, or what one run did. */
export const rollback = async (session: Session): Promise<ExitCode> => {
  const { flags, output, state } = session
  refuseParts(flags)
  const kept = readJournals(state)
  const found = flags.fromCluster ? await tellAdopted(session, kept) : []
  const history = [...kept, ...found.map(it => ({ time: '', run: session.run, ...it }))]
  // Without --limit all of it, also of tenants that are in the inventory no more.
  const chosen = selected(history, flags)
  const list = flags.limit === undefined ? chosen : chosen.filter(isOf(session))
  if (list.length === 0) {
    await refuseUnknown(session, standing(history))
    if (!flags.check && leftProbes(session).length > 0) {
      await leadEarly(session)
      await undoRollout(session, [], session.world)
    }
    output.say('nothing to roll back: no workload, policy or setting of a rollout stands')
    return finish(session, { status: 'ok', changes: noChanges })
  }
  const changes = { ...noChanges, ...countUndo(list) }
  // As they will be undone: the last first.
  const shown = list.toReversed()
  for (const it of shown)
    output.event('planned', { step: it.step, change: { action: it.before === null ? 'delete' : 'update' } })
  for (const it of shown) output.data(`  ${it.before === null ? '-' : '~'} ${it.step}`)
  if (flags.check) return finish(session, { status: 'changes-pending', changes })
  await agreed(session, `Roll back ${list.length} steps of ${session.context.context}?`)
  const held = await leadEarly(session)
  await refuseLosingGround(session, list)
  for (const it of found) session.journal.record(it)
  const progress = progressFor(session, ['roll back'])
  const outcome = await progress
    .stage('roll back', async () => {
      const outcome = await heard(session, held, underWay, () => undoRollout(session, list, session.world))
      const failed = outcome.failures.length + outcome.left.length
      return {
        ok: failed === 0,
        summary: `${outcome.undone.length} undone${failed ? `, ${failed} left` : ''}`,
        outcome,
      }
    })
    .finally(() => progress.close())
  const { failures, left, undone } = outcome.outcome
  output.know({ changes: { ...noChanges, ...countUndo(list.filter(it => undone.includes(it.step))) } })
  if (session.world.abort.aborted && failures.length > 0) throw interrupted([...failures.map(it => it.step), ...left])
  if (left.length > 0 && failures.length === 0 && session.world.stop.aborted) throw interrupted(left)
  if (failures.length + left.length > 0) throw stuck(outcome.outcome)
  if (list.some(it => it.kind === 'workload-egress')) output.data(`\n${await addresses(session, list)}\n`)
  return finish(session, { status: 'ok', changes })
}

/** To a wish that comes meanwhile. */
const underWay = () =>
  'nothing: a rollback is under way and takes back what stands; Ctrl-C there ends it after the open step'

const selected = (history: readonly Recorded[], { to, run }: { to?: string; run?: string }): ToUndo[] => {
  const all = standing(history).filter(isRollout)
  if (run !== undefined) {
    const mine = history.filter(it => it.run === run || it.run.endsWith(`-${run}`))
    if (mine.length === 0) throw unknown(`run ${run}`, [...new Set(history.map(it => it.run))].slice(-5))
    return withoutLoose(standing(history, layer => mine.some(it => it.run === layer.run)).filter(isRollout), all)
  }
  if (to === undefined || to === 'start') return all
  // Phases in the order in which they were first begun, over all runs.
  const order = [...new Set(history.flatMap(it => (it.event === 'started' && isRollout(it) ? [it.group] : [])))]
  const kept = order.findLastIndex(it => it === `rollout/${to}` || it.startsWith(`rollout/${to} `))
  if (kept < 0) throw unknown(`phase ${to}`, ['start', ...order.map(it => it.slice('rollout/'.length))])
  return all.filter(it => order.indexOf(it.group) > kept)
}

/** Where nothing of a step would be left, what later runs built on it would lose its ground. */
const withoutLoose = (chosen: ToUndo[], all: readonly ToUndo[]): ToUndo[] => {
  const layers = new Map(all.map(it => [it.step, it.runs.length]))
  const gone = chosen.filter(it => it.runs.length === layers.get(it.step))
  const ids = new Set(gone.map(it => it.step))
  const taken = new Set(chosen.map(it => it.step))
  const loose = all.filter(it => !taken.has(it.step) && it.needs.some(need => ids.has(need)))
  if (loose.length === 0) return chosen
  throw new Problem('other runs were built on this one', {
    why: `these would lose what they stand on: ${loose.map(it => it.step).join(', ')}`,
    next: 'take those runs back first, or all with --to start; nothing was touched',
    exit: 2,
  })
}

/** Policies must not go while what they guard stays: a part is a tenant or a phase, never a kind. */
const refuseParts = ({ tags, to, run, fromCluster }: Pick<Flags, 'tags' | 'to' | 'run' | 'fromCluster'>) => {
  const both = to !== undefined ? '--to' : fromCluster ? '--from-cluster' : undefined
  const bad = tags ? '--tags' : both && run !== undefined ? `${both} together with --run` : undefined
  if (!bad) return
  throw new Problem(`rollback does not take ${bad}`, {
    why: tags ? 'a workload and the policy that guards it go together' : 'they say two different things',
    next: 'choose with --limit TENANT, and --to PHASE or --run ID; nothing was touched',
    exit: 2,
  })
}

/** What the cluster shows to be ours and no journal here knows; what nobody can know is said. */
const tellAdopted = async (session: Session, history: readonly Recorded[]): Promise<Entry[]> => {
  const { output } = session
  const known = new Set(standing(history).map(it => it.step))
  const { entries, steps, unseen } = await adopt(session, known)
  output.event('adopted', { steps, unseen })
  output.say(`found in place, and in no journal here: ${steps.length} steps`)
  if (steps.length > 0)
    output.say('note: what was there before them is known to nobody: values that a run took over do not come back')
  for (const it of unseen) output.say(`note: ${it.step} is not looked at, and so not taken back: ${it.why}`)
  return entries
}

const countUndo = (list: readonly ToUndo[]) => ({
  delete: list.filter(it => it.before === null).length,
  update: list.filter(it => it.before !== null).length,
})

/** The same look from inside the pods as after a deploy. */
const addresses = async ({ clients, context }: Session, list: readonly ToUndo[]): Promise<string> => {
  const moved = list.flatMap(it => (it.kind === 'workload-egress' ? [it.want as MovedWant] : []))
  const rows = await Promise.all(
    moved.map(async ({ kubeconfig, namespace, kind, name }) => {
      const subject = {
        tenant: namespace,
        namespace,
        workload: { kind, name },
        proxy: { address: '', port: 0 },
        proxies: [],
        echo: context.verify.echo,
        forbidden: context.verify.forbidden,
        allowed: [],
        inside: [],
      }
      const seen = await egressAddress(clients.kube(kubeconfig), subject).catch(() => null)
      return [`${namespace}/${calledAs({ kind, name })}`, seen ?? 'no answer']
    }),
  )
  return table(['workload', 'seen now'], rows)
}

type MovedWant = { kubeconfig: string; namespace: string } & WorkloadRef

const interrupted = (left: readonly string[]) =>
  new Problem('interrupted: what was under way was finished', {
    why: `still to be taken back: ${left.join(', ')}`,
    next: 'go on with the same command; what was undone stays undone',
    exit: 130,
  })

const unknown = (what: string, known: readonly string[]) =>
  new Problem(`there is no ${what}`, {
    why: known.length > 0 ? `known here: ${known.join(', ')}` : 'the journal of this context is empty',
    next: 'name one of these; nothing was touched',
    exit: 2,
  })
