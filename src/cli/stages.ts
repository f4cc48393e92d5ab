import { join } from 'node:path'
import { type Site, type StageName, site, stageNames } from '../../playbooks/site.ts'
import { type ApplyOptions, applyPlan, type Outcome } from '../engine/apply.ts'
import type { Desired } from '../engine/desired.ts'
import { makePlan, throwAll } from '../engine/plan.ts'
import { Problem } from '../engine/problem.ts'
import { type Counts, countChanges } from '../engine/step.ts'
import { Unreachable } from '../hosts/ssh-problems.ts'
import type { Context } from '../inventory/context.ts'
import { narrowed, placesOf, tagged, taskTags } from './limit.ts'
import { outputsOf } from './outputs.ts'
import { withSelected } from './rollout/selected.ts'
import { operatorKey, type Session } from './session.ts'
import type { Staged } from './staged.ts'

/** What should be true; of a play that `--tags` chooses by its tasks, only these. */
export const siteOf = ({ context, state, flags: { tags } }: Session): Site => {
  const all = site(context, { operatorKey: operatorKey(context), kubeconfig: join(state, 'kubeconfig') })
  if (!tags) return all
  const configure = all.stages.configure.map(it => narrowed(it, tags))
  return { ...all, stages: { ...all.stages, configure } }
}

/** Machines that exist already need nothing of the earlier stages: no cloud is asked to configure them. */
export const hostsAlone = ({ tenants }: Context, stages: readonly StageName[]): boolean =>
  stages.every(it => it === 'configure') && tenants.every(it => it.egress.proxies.every(({ machine }) => machine))

/** Looks at everything up to the last of these stages. */
export const planStages = async (
  asked: Session,
  stages: readonly StageName[],
  { later = asked.flags.out === undefined } = {},
): Promise<Staged> => {
  const rolls = stages.some(it => it === 'rollout' || it === 'verify')
  const session = rolls ? await withSelected(asked) : asked
  const all = siteOf(session)
  const upTo = Math.max(...stages.map(it => stageNames.indexOf(it)))
  const alone = hostsAlone(session.context, stages)
  const desired = (alone ? stages : stageNames.slice(0, upTo + 1)).flatMap(it => all.stages[it])
  const plan = await makePlan(desired, session.world, { later })
  const projectId = alone ? '' : (await session.clients.scaleway()).projectId
  const staged = { session, site: all, plan, projectId, stages, counts: countChanges([]), orphans: [] }
  session.output.know({ outputs: outputsOf(staged) })
  refuseGaps(staged)
  refuseNothing(staged)
  return staged
}

/** The ids of a stage that `--tags` leaves in. */
export const chosen = (staged: Staged, stage: StageName): string[] =>
  stage === 'rollout'
    ? staged.site.phases.flatMap(it => chosenIn(staged, it))
    : idsOf(staged, [stage], staged.site.stages[stage])

/** The same of one phase. */
export const chosenIn = (staged: Staged, { name, desired }: Site['phases'][number]): string[] =>
  idsOf(staged, placesOf(name), desired)

const idsOf = ({ session: { flags } }: Staged, places: string[], desired: Desired[]) =>
  desired.filter(it => tagged(it, flags.tags ? [...places, ...taskTags(it)] : places, flags.tags)).map(it => it.id)

/** Everything this command would change. */
export const pendingOf = (staged: Staged) =>
  staged.stages.flatMap(stage => chosen(staged, stage)).map(id => staged.plan.seen.get(id)!)

/** Makes one stage true and goes on from there. */
export const applyStage = async (
  staged: Staged,
  group: string,
  ids: string[],
  policy: Pick<ApplyOptions, 'batches' | 'mayFail'> = {},
): Promise<Outcome> => {
  const { plan, session, admit } = staged
  const outcome = await applyPlan(plan, group, session.world, { only: ids, ...policy, ...(admit && { admit }) })
  keep(staged, outcome)
  return outcome
}

/** What a part of the run has done, for the rest of it and for the summary. */
export const keep = (staged: Staged, outcome: Outcome): void => {
  staged.plan = outcome.plan
  const made = countChanges([...outcome.changes.values()])
  for (const key of Object.keys(made) as (keyof Counts)[]) staged.counts[key] += made[key]
  staged.session.output.know({ changes: staged.counts, outputs: outputsOf(staged) })
}

export const summaryOf = (outcome: Outcome): string => {
  const { create, update, delete: deleted, unchanged } = countChanges([...outcome.changes.values()])
  const unreached = outcome.failures.filter(it => it.error instanceof Unreachable)
  const parts = [
    [create, 'created'],
    [update, 'changed'],
    [deleted, 'deleted'],
    [unchanged, 'unchanged'],
    [unreached.length, 'unreachable'],
    [outcome.failures.length - unreached.length, 'failed'],
    [outcome.skipped.length, 'not reached'],
  ] as const
  return parts.flatMap(([count, word]) => (count > 0 ? [`${count} ${word}`] : [])).join(', ') || 'nothing to do'
}

/** Failures of a stage as what they are: problems for people, bugs with their stack. */
export const throwFailures = ({ failures }: Outcome): void => throwAll(failures.map(it => it.error))

/** Tags that match nothing are a mistake, not a wish for nothing. */
const refuseNothing = (staged: Staged) => {
  const { tags } = staged.session.flags
  if (!tags || tags.includes('verify') || staged.stages.some(it => chosen(staged, it).length > 0)) return
  const known = [...new Set(staged.site.stages.configure.flatMap(taskTags))].join(', ')
  throw new Problem(`--tags ${tags.join(',')} matches nothing`, {
    why: `tags are stages (${stageNames.join(', ')}), phases (canary, expand, rollout/gateway), kinds, names and tags of tasks (${known})`,
    next: 'name one of these; nothing was touched',
    exit: 2,
  })
}

/** A later stage alone needs what the earlier ones make. */
const refuseGaps = ({ stages, site: all, plan }: Staged) => {
  const first = Math.min(...stages.map(it => stageNames.indexOf(it)))
  for (const [index, stage] of stageNames.slice(0, first).entries()) {
    const missing = all.stages[stage].filter(it => plan.seen.get(it.id)?.step?.change.action === 'create')
    if (missing.length === 0) continue
    throw new Problem(`the stage ${stage} is not complete`, {
      why: `missing: ${missing.map(it => it.id).join(', ')}`,
      next: `run ${(index + 1) * 10}-${stage}.mjs first, or deploy.mjs for all stages in order`,
    })
  }
}
