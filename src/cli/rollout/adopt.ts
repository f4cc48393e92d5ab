import { join } from 'node:path'
import type { RolloutPhase } from '../../../playbooks/rollout.ts'
import { stageNames } from '../../../playbooks/site.ts'
import type { Entry } from '../../engine/journal.ts'
import type { Json } from '../../engine/json.ts'
import { makePlan, type Seen } from '../../engine/plan.ts'
import type { Entry as Allowed } from '../../rollout/allowlist/firewall.ts'
import type { EgressWant } from '../../rollout/egress-want.ts'
import type { Kube } from '../../rollout/kube/kube.ts'
import type { KubeObject } from '../../rollout/kube/object.ts'
import { EGRESS_LABEL } from '../../rollout/manifests.ts'
import { MANAGED_BY } from '../../rollout/tenancy.ts'
import { egressName, workloadEgressKind } from '../../rollout/workload-egress.ts'
import type { WorkloadAt } from '../../rollout/workloads/read.ts'
import { listOwned } from '../../scaleway/leftovers.ts'
import type { Session } from '../session.ts'
import { siteOf } from '../stages.ts'
import { movedIn } from './ground.ts'
import { kubeconfigHere } from './kubeconfig-here.ts'
import { withSelected } from './selected.ts'
import { groupOf } from './steps.ts'

/** What the cluster and the partners' lists show to be ours, as a journal would have it. `unseen`: and why. */
export type Adopted = { entries: Entry[]; steps: string[]; unseen: { step: string; why: string }[] }

/**
 * For a rollback whose journal is lost: what the inventory would make and what carries our label by our field manager,
 * as far as no journal here knows it (`known`: steps). What stood before is told by nobody: our fields are given up.
 */
export const adopt = async (session: Session, known: ReadonlySet<string>): Promise<Adopted> => {
  const { clients, context, state, world } = session
  const own = join(state, 'kubeconfig')
  await kubeconfigHere(session, async () => listOwned(await clients.scaleway()))
  const kubeconfig = context.cluster.kubeconfig ?? own
  const kube = clients.kube(kubeconfig)
  const [selected, ...found] = await Promise.all([
    withSelected(session),
    ...context.tenants.map(it => movedIn(kube, it.namespace)),
  ])
  const site = siteOf(selected!)
  const all = stageNames.flatMap(it => site.stages[it])
  const plan = await makePlan(all, world, { later: true })
  return adoptedFrom(site.phases, plan.seen, await othersAmong(kube, kubeconfig, found.flat(), plan.seen), known)
}

type Other = { want: EgressWant; live: Json }

/**
 * Workloads that moved, and that the inventory does not have or cannot look at: its proxy is gone, or somebody put
 * credentials into our variables. To give up our fields takes neither, and no variable gets into the journal.
 */
export const othersAmong = async (
  kube: Kube,
  kubeconfig: string,
  moved: readonly WorkloadAt[],
  seen: ReadonlyMap<string, Seen>,
): Promise<Other[]> => {
  const report = { waiting() {}, progress() {}, signal: new AbortController().signal }
  const others = moved.filter(it => (seen.get(idOf(it))?.live ?? null) === null)
  const read = async (at: WorkloadAt): Promise<Other[]> => {
    const want: EgressWant = { kubeconfig, ...at, label: EGRESS_LABEL, env: [], containers: 'all' }
    const live = await workloadEgressKind.read(want, { kube: () => kube }, report)
    return live ? [{ want, live: live as unknown as Json }] : []
  }
  return (await Promise.all(others.map(read))).flat()
}

const idOf = (at: WorkloadAt) => `${workloadEgressKind.name}/${egressName(at.namespace, at)}`

/** Parents first; a list is narrowed last of all, so that it is the first to be wide again. */
export const adoptedFrom = (
  phases: readonly RolloutPhase[],
  seen: ReadonlyMap<string, Seen>,
  others: readonly Other[],
  known: ReadonlySet<string>,
): Adopted => {
  const adopted: Adopted = { entries: [], steps: [], unseen: [] }
  const take = (
    step: string,
    kind: string,
    group: string,
    needs: string[],
    want: Json,
    live: Json,
    before: Json | null,
  ) => {
    const change = {
      action: before === null ? ('create' as const) : ('update' as const),
      summary: `${step}, found in place`,
    }
    adopted.entries.push({ event: 'started', step, kind, group, needs, want, before, change })
    adopted.entries.push({ event: 'done', step, now: live })
    adopted.steps.push(step)
  }
  const closing = phases.filter(it => it.proves)
  const takePhase = ({ name, desired }: RolloutPhase, more: string[] = []) => {
    for (const { id, kind } of desired) {
      const it = seen.get(id)!
      const why = whyUnseen(it)
      if (why !== undefined) adopted.unseen.push({ step: id, why })
      const before = known.has(id) || it.live === null ? undefined : beforeOf(kind.name, it.want, it.live)
      if (before !== undefined) take(id, kind.name, groupOf(name), [...it.parents, ...more], it.want, it.live!, before)
    }
  }
  for (const it of phases) if (!closing.includes(it)) takePhase(it)
  const ground = [...adopted.steps]
  for (const { want, live } of others.filter(it => !known.has(idOf(it.want)))) {
    const before = beforeOf(workloadEgressKind.name, want as unknown as Json, live)
    if (before === undefined) continue
    take(idOf(want), workloadEgressKind.name, groupOf('no phase'), ground, want as unknown as Json, live, before)
  }
  // Entries were taken out because something moved; where nothing has, nobody here took them out.
  const moved = adopted.steps.filter(it => it.startsWith(`${workloadEgressKind.name}/`))
  if (moved.length > 0) for (const it of closing) takePhase(it, moved)
  return { ...adopted, unseen: adopted.unseen.filter(it => !adopted.steps.includes(it.step)) }
}

const whyUnseen = ({ problem, step }: Seen): string | undefined => {
  if (problem) return `${problem.message}: ${problem.why}; ${problem.next}`
  return step && step.unknown.length > 0 ? `it takes values of ${step.unknown.join(', ')}` : undefined
}

/** What an undo goes back to. Undefined: nothing of it is ours, or nothing of it is ever undone. */
const beforeOf = (kind: string, want: Json, live: Json): Json | null | undefined => {
  const { owned, label, object, left, entries = [], entry } = live as Partial<Lives>
  const { mark, range = '' } = want as { mark?: string; range?: string }
  const givenUp = { ...(live as object), owned: null, earlier: [] } as Json
  switch (kind) {
    case 'workload-egress':
      return owned && label ? ({ ...(givenUp as object), label: null, details: [] } as Json) : undefined
    case 'kube-object':
    case 'kube-endpoint-slice':
      if (!owned) return undefined
      return object?.metadata.labels?.[MANAGED_BY] ? null : givenUp
    case 'gateway-policy':
      return null
    case 'admission-policy':
      return left === null ? null : undefined
    case 'allowlist-addition':
      return entries.some(it => it.description === mark)
        ? { entries: entries.filter(it => it.description !== mark) }
        : undefined
    case 'allowlist-removal':
      return entry === null ? { entry: { range, description: 'let in again by a rollback' } } : undefined
    default:
      return undefined
  }
}

type Lives = {
  owned: KubeObject | null
  label: string | null
  object: KubeObject
  left: string | null
  entries: Allowed[]
  entry: Allowed | null
}
