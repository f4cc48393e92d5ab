import { groundOf } from '../../playbooks/rollout.ts'
import { throwAll } from '../engine/plan.ts'
import { admissionPolicyKind } from '../rollout/admission-policy.ts'
import { OWN_NAMESPACE } from '../rollout/guard/rule.ts'
import { type Survey, survey } from '../rollout/guard/survey.ts'
import { type Forbidden, problemOf } from '../rollout/guard.ts'
import { showId } from '../rollout/kube/object.ts'
import { movesOf } from './proofs.ts'
import { kubeOf, liveOf } from './rollout/gates.ts'
import type { Staged } from './staged.ts'

/** What is forbidden in the namespaces of these tenants, and in our own. No cluster yet: none. */
export const surveyAll = async (staged: Staged): Promise<Survey[]> => {
  const { context } = staged.session
  if (!context.cluster.kubeconfig && !liveOf(staged, staged.site.ids.kubeconfig)) return []
  const namespaces = [...new Set([OWN_NAMESPACE, ...context.tenants.map(it => it.namespace)])]
  return Promise.all(namespaces.map(it => survey(kubeOf(staged), it, groundOf(context, context.tenants))))
}

/** Throws what is forbidden, all at once, where this run would move something: before it does. */
export const refuseFound = async (staged: Staged): Promise<void> => {
  const moving = staged.site.phases.some(phase => phase.desired.some(it => staged.plan.seen.get(it.id)?.step))
  const surveys = await surveyAll(staged)
  tellUnseen(staged, surveys)
  if (moving) throwAll(inTheWay(staged, surveys).map(problemOf))
}

/** The same as notes, where nothing is changed. */
export const tellFound = (staged: Staged, surveys: readonly Survey[]): void => {
  const { output } = staged.session
  tellUnseen(staged, surveys)
  for (const { object, what, why, next } of surveys.flatMap(it => it.found))
    output.say(`note: ${object}: ${what} is forbidden: ${why}; ${next}`)
}

const tellUnseen = ({ session: { output } }: Staged, surveys: readonly Survey[]): void => {
  const lines = surveys.flatMap(({ namespace, unseen }) => unseen.map(why => ({ namespace, why })))
  for (const [why, all] of Map.groupBy(lines, it => it.why))
    output.say(`note: not looked at for what is forbidden in ${all.map(it => it.namespace).join(', ')}: ${why}`)
}

/** Once for each reason: the cluster itself refuses nothing there, and why. */
export const tellLeft = ({ plan, session: { output } }: Staged): void => {
  const reasons = [...plan.seen].flatMap(([id, { live }]) =>
    id.startsWith(`${admissionPolicyKind.name}/`) && (live as { left?: string | null } | null)?.left
      ? [(live as { left: string }).left]
      : [],
  )
  for (const it of new Set(reasons)) output.say(`note: the cluster itself refuses nothing that must never be: ${it}`)
}

/** What a rollout sets itself does not stand in its way. */
const inTheWay = (staged: Staged, surveys: readonly Survey[]): Forbidden[] => {
  const mended = new Set(
    movesOf(staged).map(({ tenant: { namespace }, workload }) => showId({ ...workload, namespace })),
  )
  return surveys.flatMap(it => it.found).filter(it => !(it.mends && mended.has(it.object)))
}
