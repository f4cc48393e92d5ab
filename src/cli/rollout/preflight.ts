import { setTimeout as delay } from 'node:timers/promises'
import { throwAll } from '../../engine/plan.ts'
import { Problem } from '../../engine/problem.ts'
import { preflightText } from '../../report/preflight-table.ts'
import type { EgressWant } from '../../rollout/egress-want.ts'
import { isCanary } from '../../rollout/phases.ts'
import { type Found, judge } from '../../rollout/preflight/checks.ts'
import { enforcementFinding, proveEnforcement } from '../../rollout/preflight/enforcement.ts'
import { look, type Plan } from '../../rollout/preflight/look.ts'
import type { Sight } from '../../rollout/preflight/sight.ts'
import { createProbes, noLogs } from '../../rollout/probe.ts'
import { isLeaving, isReady } from '../../rollout/workload.ts'
import type { Staged } from '../staged.ts'
import { chosen, chosenIn } from '../stages.ts'
import { kubeOf } from './gates.ts'

/** What is under way in the cluster may be through soon. */
const PATIENCE_MS = 60_000

/**
 * Everything that would stand in the way of what this command would move; nothing to move: nothing is read. With
 * `tryNetwork`, where nothing else is in the way, a pod of ours shows whether the network holds pods to a policy.
 */
export const preflightOf = async (
  staged: Staged,
  { patience = PATIENCE_MS, tryNetwork = false } = {},
): Promise<Found[]> => {
  const { found, sights } = await lookAhead(staged, patience)
  if (!tryNetwork || found.some(it => it.level === 'stop')) return found
  return [...(await networkOf(staged, sights)), ...found]
}

/** Asked where a canary moves: what has moved is proved by gates. */
const networkOf = async (staged: Staged, sights: readonly Sight[]): Promise<Found[]> => {
  const canary = sights.flatMap(it => it.moving).find(it => isCanary({ name: it.phase }) && !it.begun)
  const like = canary && [...canary.current, ...canary.old].find(it => isReady(it) && !isLeaving(it))
  if (!like) return []
  const { session } = staged
  const { verify } = session.context
  const kube = kubeOf(staged)
  const { namespace = '' } = like.metadata
  const signal = session.world.abort
  const verdict = await proveEnforcement(kube, like, createProbes(kube, { ...noLogs, signal }), {
    ...{ run: session.run, image: verify.probeImage, echo: verify.echo, signal },
    onMake(made) {
      session.journal.record({ event: 'note', topic: 'probe-pod', data: { namespace, ...made } })
      session.output.event('probe-pod', { namespace, ...made })
    },
  })
  return enforcementFinding(namespace, verdict).map((it): Found => ({ ...it, check: 'enforcement' }))
}

const lookAhead = async (staged: Staged, patience: number): Promise<{ found: Found[]; sights: Sight[] }> => {
  const plans = plansOf(staged)
  if (plans.length === 0) return { found: [], sights: [] }
  const { session } = staged
  const { abort, stop } = session.world
  const acceptedIn = (namespace: string) =>
    session.context.tenants.find(it => it.namespace === namespace)?.rollout.preflight?.accept ?? []
  for (const until = performance.now() + patience; ; ) {
    const sights = await look(kubeOf(staged), plans, session.context.verify.probeImage)
    const found = judge(sights.map(sight => ({ sight, accept: acceptedIn(sight.namespace) })))
    const stops = found.filter(it => it.level === 'stop')
    if (stops.length === 0 || !stops.every(it => it.passing) || performance.now() > until || stop.aborted)
      return { found, sights }
    session.output.say(`waiting: ${stops[0]!.workload}: ${stops[0]!.what}: ${stops[0]!.why}`)
    await delay(2000, undefined, { signal: AbortSignal.any([abort, stop]) }).catch(() => undefined)
    abort.throwIfAborted()
  }
}

/** One line for who watches. */
export const foundText = (found: readonly Found[]): string => {
  const stops = found.filter(it => it.level === 'stop').length
  const notes = found.length - stops
  const parts = [...(stops > 0 ? [`${stops} in the way`] : []), ...(notes > 0 ? [`${notes} noted`] : [])]
  return parts.join(', ') || 'nothing in the way'
}

/** What of the plan would move workloads, by namespace. */
const plansOf = (staged: Staged): Plan[] => {
  const { session, site, plan } = staged
  const { context } = session
  const moves = site.phases.flatMap(phase => {
    const ids = new Set(chosenIn(staged, phase))
    return phase.desired
      .filter(it => it.kind.name === 'workload-egress' && ids.has(it.id) && plan.seen.get(it.id)?.step)
      .map(it => ({ want: it.want as unknown as EgressWant, phase: phase.name }))
  })
  if (moves.length === 0) return []
  return context.tenants.flatMap(({ namespace, egress, rollout, pool }) => {
    const mine = moves.filter(it => it.want.namespace === namespace)
    if (mine.length === 0) return []
    const { podCidr, serviceCidr } = context.cluster
    const { externalAllowlist: list } = rollout
    return [
      {
        ...{ namespace, moves: mine },
        inside: [podCidr, serviceCidr, context.network.privateNetwork.cidr],
        makes: {
          ...{ service: egress.through === 'service', gateway: egress.through === 'gateway' },
          certificates: egress.clientCertificates !== undefined,
        },
        wishes: {
          patient: rollout.inconclusive !== undefined,
          patch: rollout.ownership === 'patch',
          grows: pool?.autoscaling !== undefined,
          ...(list?.otherPods === 'count' && { entries: list.remove ?? [] }),
        },
      },
    ]
  })
}

/** Stands all that a rollout needs of the cluster? Then it can be looked at before any other stage is changed. */
const stands = (staged: Staged): boolean =>
  !staged.stages.includes('cluster') || chosen(staged, 'cluster').every(id => !staged.plan.seen.get(id)?.step)

/**
 * Before anything of any stage is changed, where the cluster stands already; a rollout alone looks when it begins.
 * Throws where something stops it.
 */
export const refuseRolloutEarly = async (staged: Staged): Promise<void> => {
  const { check } = staged.session.flags
  const begins = staged.stages[0] === 'rollout' && !check
  if (!staged.stages.includes('rollout') || begins || !stands(staged)) return
  refuseRollout(staged, await preflightOf(staged, { patience: check ? 0 : PATIENCE_MS }))
}

/** The same beside what nobody could look at, which is told with it, not instead of it. */
export const refuseAlso = async (staged: Staged, blind: readonly Problem[]): Promise<void> => {
  const stops = await refuseRolloutEarly(staged).then(
    () => [],
    (it: unknown) => [it],
  )
  throwAll([...blind, ...stops])
}

/** Tells the table, once; throws where anything in it stops the rollout. */
export const refuseRollout = (staged: Staged, found: readonly Found[]): void => {
  const { output, journal } = staged.session
  const text = preflightText(found).join('\n')
  if (found.length > 0 && text !== staged.foreseen) {
    for (const it of found) output.event('preflight', it)
    output.data(`${text}\n`)
    journal.record({ event: 'note', topic: 'preflight', data: found.map(it => ({ ...it })) })
    staged.foreseen = text
  }
  const stops = found.filter(it => it.level === 'stop')
  if (stops.length === 0) return
  throw new Problem(`${stops.length} thing${stops.length > 1 ? 's stand' : ' stands'} in the way of the rollout`, {
    why: stops.map(it => `${it.workload}: ${it.what}: ${it.why}`).join('\n'),
    next: 'mend these, each as its row says, then run again; no workload was touched',
  })
}
