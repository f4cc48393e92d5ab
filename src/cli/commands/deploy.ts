import { type StageName, stageNames } from '../../../playbooks/site.ts'
import { readJournals } from '../../engine/journal.ts'
import { onlyAnnounced } from '../../engine/plan-file.ts'
import type { ExitCode } from '../../engine/problem.ts'
import { Problem } from '../../engine/problem.ts'
import { type Counts, countPlanned } from '../../engine/step.ts'
import { plainProgress } from '../../report/plain.ts'
import { beforeRollout, clearWay, provision, takingDown, verify } from '../carry-out.ts'
import type { Flags } from '../flags.ts'
import { foreseeReplay } from '../foresee-replay.ts'
import { surveyAll, tellFound, tellLeft } from '../guard.ts'
import { foreseenOf } from '../hosts.ts'
import { findOrphans, prune, refusePrune, tellOrphans } from '../orphans.ts'
import { outputsOf } from '../outputs.ts'
import { checkOrigin, checkOut, checkUnmoved, readPlan, type SavedPlan, savedPlanOf, writePlan } from '../plan-file.ts'
import { refuseEarly } from '../preflight.ts'
import { progressFor } from '../progress.ts'
import { type Proof, proofTable } from '../proofs.ts'
import { checkReplace, guardEach, refuseReplacements, replacementsOf } from '../replacements.ts'
import { leadEarly } from '../rollout/leader.ts'
import { refuseAlso, refuseRolloutEarly } from '../rollout/preflight.ts'
import { lookingAhead, rollOut } from '../rollout/run.ts'
import type { Session } from '../session.ts'
import type { Staged } from '../staged.ts'
import { pendingOf, planStages } from '../stages.ts'
import { finish } from '../summary.ts'
import { tellPlan } from '../tell-plan.ts'
import { tellUnknownNodes } from '../unknown-nodes.ts'

/** All stages, or one: look, show, change, prove. Earlier stages are only looked at. */
export const deploy = async (asked: Session, stages: readonly StageName[]): Promise<ExitCode> => {
  checkResume(asked)
  const saved = savedIn(asked.flags)
  if (saved) checkOrigin(saved, asked)
  const flags = { ...asked.flags, prune: asked.flags.prune || (saved?.prune ?? null) !== null }
  const session = { ...asked, flags }
  const whole = stages.length === stageNames.length && flags.limit === undefined && !flags.tags
  if (flags.prune && !whole) throw pruneOfAPart()
  if (!flags.check && stages.includes('rollout')) await leadEarly(session)
  // While planning, only waits are worth a word: a host that does not answer, an API that is slow.
  session.world.watch = plainProgress(line => session.output.say(line)).watch
  const [staged, orphans] = await Promise.all([
    planStages(session, stages, saved && { later: false }),
    whole ? findOrphans(session, { whole: flags.prune }) : [],
  ])
  staged.orphans = orphans
  checkReplace(staged, flags.replace)
  if (saved) checkUnmoved(saved, staged)
  await refuseEarly(staged)
  // Where this run does not configure the proxies, it leaves them as they are.
  if (!stages.includes('configure')) tellUnknownNodes(staged)
  if (flags.check) return check(staged)
  const replace = [...flags.replace, ...(saved?.replace ?? [])]
  await refuseRolloutEarly(staged)
  const guard = guardEach(staged.site.protectedIds, replace)
  const announced = saved && onlyAnnounced(saved.steps)
  staged.admit = seen => {
    guard(seen)
    announced?.(seen)
  }
  return make(staged, replace)
}

/** The plan that is to be done, if one is named; and whether one can be saved where it should be. */
const savedIn = ({ check, out, plan }: Flags): SavedPlan | undefined => {
  if (out !== undefined && (!check || plan !== undefined))
    throw new Problem('--out goes with --check alone', {
      why: 'it saves what would be done, and then nothing is done',
      next: `deploy.mjs --check --out ${out}, then deploy.mjs --plan ${out}; nothing was touched`,
      exit: 2,
    })
  if (out !== undefined) checkOut(out)
  return plan === undefined ? undefined : readPlan(plan)
}

const pruneOfAPart = () =>
  new Problem('--prune takes a whole context', {
    why: 'with a stage, --limit or --tags what is left out would look as if nobody wanted it',
    next: 'deploy.mjs --prune alone; nothing was touched',
    exit: 2,
  })

/** `--check`: says what would change, changes nothing. */
const check = async (staged: Staged): Promise<ExitCode> => {
  const { session } = staged
  const asked = pendingOf(staged)
  const pending = asked.filter(it => !it.problem)
  const counts = countPlanned(pending)
  const removed = session.flags.prune ? staged.orphans.length : 0
  counts.delete += removed
  const changes = removed > 0 || pending.some(it => it.step)
  tellPlan(staged, pending)
  await foreseeReplay(staged, pending)
  if (staged.stages.includes('rollout')) {
    tellFound(staged, await surveyAll(staged))
    tellLeft(staged)
  }
  const { out } = session.flags
  if (out !== undefined) {
    writePlan(out, savedPlanOf(staged))
    session.output.say(`plan saved: deploy.mjs --plan ${out} does exactly this, or refuses`)
  }
  const blind = asked.flatMap(it => it.problem ?? [])
  const hosts = foreseenOf(asked)
  if (Object.keys(hosts).length > 0) session.output.event('hosts', { hosts })
  session.output.know({ changes: counts, outputs: outputsOf(staged) })
  if (changes || blind.length > 0) session.output.say(`changes: ${sentence(counts)}`)
  else session.output.say('nothing to do: everything is as the inventory says')
  // What nobody could look at may be anything: the rest was told.
  await refuseAlso(staged, blind)
  return finish(session, { status: changes ? 'changes-pending' : 'ok', changes: counts, outputs: outputsOf(staged) })
}

const make = async (staged: Staged, replace: readonly string[]): Promise<ExitCode> => {
  const { session, stages, site } = staged
  if (session.flags.diff) tellPlan(staged, pendingOf(staged))
  refuseReplacements(staged, replace)
  if (session.flags.prune) {
    refusePrune(session, staged.orphans)
    await prune(session, staged.orphans)
    staged.counts.delete += staged.orphans.length
  } else if (!session.flags.diff) tellOrphans(session, staged.orphans)
  const phases = site.phases.filter(() => stages.includes('rollout'))
  const goes = [...staged.plan.seen.values()].some(it => it.was !== undefined)
  const homes = replacementsOf(staged).flatMap(it => (it.holds ? [it.id] : []))
  const titles = [
    ...(goes ? [takingDown] : []),
    ...stages.flatMap(it =>
      it === 'rollout' ? [lookingAhead, ...phases.map(phase => `rollout: ${phase.name}`)] : [it],
    ),
  ]
  const progress = progressFor(session, titles)
  let proofs: Proof[] = []
  const proving = stages.includes('verify') && (session.flags.tags?.includes('verify') ?? true)
  try {
    if (goes) await clearWay(staged, progress)
    for (const stage of stages) {
      if (stage === 'rollout') await rollOut(staged, progress, { tryNetwork: true })
      else if (stage === 'verify') proofs = proving ? await verify(staged, progress) : []
      else if (phases.length > 0) await beforeRollout(session, () => provision(staged, stage, progress))
      else await provision(staged, stage, progress)
    }
  } catch (error) {
    if (goes) sayHowOn(session, homes)
    throw error
  } finally {
    await progress.close()
  }
  if (proving) {
    session.output.data(`\n${proofTable(staged, proofs)}\n`)
    nextCommands(session)
  }
  return finish(session, { status: 'ok', changes: staged.counts, outputs: outputsOf(staged) })
}

/** Half-way through a replacement things are down: whoever reads this at night wants the one line that goes on. */
const sayHowOn = ({ output, context }: Session, ids: readonly string[]) => {
  const flag = context.context === 'sandbox' ? '' : ` --context ${context.context}`
  output.say('what was taken down is not all made again; this goes on:')
  output.say(`  npx zx scripts/deploy.mjs${flag} --replace ${ids.join(',')}`)
}

/** `--resume RUN` names a run that must exist; the world is read in any case. */
const checkResume = ({ flags, state }: Session) => {
  if (typeof flags.resume !== 'string') return
  const runs = [...new Set(readJournals(state).map(it => it.run))]
  if (runs.some(it => it === flags.resume || it.endsWith(`-${flags.resume}`))) return
  throw new Problem(`there is no run ${flags.resume}`, {
    why: runs.length > 0 ? `the last runs are ${runs.slice(-3).join(', ')}` : 'this context has no runs yet',
    next: 'leave the name out: a run always goes on from what is there',
    exit: 2,
  })
}

const sentence = ({ create, update, delete: deleted, unchanged }: Counts) =>
  `${create} to create, ${update} to change, ${deleted} to delete, ${unchanged} unchanged`

const nextCommands = ({ output, context }: Session) => {
  const flag = context.context === 'sandbox' ? '' : ` --context ${context.context}`
  output.say('next:')
  output.say(`  npx zx scripts/status.mjs${flag}                  what stands, and which phase each workload is in`)
  output.say(`  npx zx scripts/deploy.mjs --check --diff${flag}   is it still as the inventory says?`)
  output.say(`  npx zx scripts/rollback.ts --to start${flag}      take the workloads back`)
}
