import type { Moved } from '../../../playbooks/rollout.ts'
import { readJournals } from '../../engine/journal.ts'
import { makePlan, type Seen as SeenStep } from '../../engine/plan.ts'
import type { ExitCode, Problem } from '../../engine/problem.ts'
import { countChanges } from '../../engine/step.ts'
import type { World } from '../../engine/world.ts'
import type { Seen } from '../../hosts/exchange.ts'
import { hostPlay } from '../../hosts/play.ts'
import type { Ssh } from '../../hosts/ssh.ts'
import { Unreachable } from '../../hosts/ssh-problems.ts'
import type { PolicyState } from '../../hosts/tasks/policy.ts'
import { type GatewayTenant, isGateway } from '../../inventory/context.ts'
import { narrowTable, table } from '../../report/table.ts'
import { gatewayAddress, gatewayName } from '../../rollout/gateway-pod/manifests.ts'
import { calledAs } from '../../rollout/workload.ts'
import { findLeaks } from '../../scaleway/leaks.ts'
import { listOwned } from '../../scaleway/leftovers.ts'
import { surveyAll, tellFound } from '../guard.ts'
import { tellLeaks } from '../leaks.ts'
import { outputsOf } from '../outputs.ts'
import { publicIpsOf, staysAsItIs } from '../rollout/gates.ts'
import { partnerLists, partnerTable } from '../rollout/partner-lists.ts'
import { withSelected } from '../rollout/selected.ts'
import { verifiedIn } from '../rollout/unverified.ts'
import { clusterOf, lookAtRun, lookAtWorkloads, PASSED_OVER, runLine } from '../rollout/view.ts'
import type { Session } from '../session.ts'
import type { Staged } from '../staged.ts'
import { siteOf } from '../stages.ts'
import { finish } from '../summary.ts'
import { tellUnknownNodes, unknownNodes } from '../unknown-nodes.ts'
import { watchRollout } from './watch.ts'

/** What stands, which phase each workload is in, and the last runs. Looks only. */
export const status = async (asked: Session): Promise<ExitCode> => {
  const session = await withSelected(asked)
  const { output, state } = session
  const site = siteOf(session)
  if (session.flags.watch) return watchRollout(session, context => siteOf({ ...session, context }).phases)
  const desired = [...site.cloud, ...(site.stages.rollout.length ? laterOf(site) : [])]
  const plan = await makePlan(desired, impatient(session), { later: true })
  const scaleway = await session.clients.scaleway()
  const { projectId } = scaleway
  const staged: Staged = { session, site, plan, projectId, stages: [], counts: countChanges([]), orphans: [] }
  const [owned, leaks, surveys] = await Promise.all([listOwned(scaleway), findLeaks(scaleway), surveyAll(staged)])
  const history = readJournals(state)
  const isVerified = verifiedIn(history)
  const workloads = site.phases.flatMap(phase =>
    phase.moves.map((move, at) => {
      const seen = plan.seen.get(phase.desired[at]!.id)
      const phaseNow = phaseOf(phase.name, move, seen)
      const { tenant } = move.tenant
      const gates = phaseNow !== phase.name ? '-' : isVerified(phase.desired[at]!.id, tenant) ? 'passed' : 'not asked'
      return { tenant, workload: calledAs(move.workload), phase: phaseNow, gates }
    }),
  )
  const kube = clusterOf(session)
  // What does not answer was told above.
  const now = await (kube && lookAtWorkloads(kube, site.phases, history).catch(() => null))
  const away = new Map<string, Problem>()
  const policies = session.context.tenants.flatMap(it => {
    const fixed = publicIpsOf(staged, it)
    if (isGateway(it)) return [gatewayRow(staged, it)]
    return it.egress.proxies.map(({ name, privateIp }, at) => {
      const seen = plan.seen.get(`host-play/${name}`)
      const live = seen?.live as unknown as Seen | null | undefined
      const state = live?.states[`policy of ${it.tenant}`] as PolicyState | undefined
      const addresses = { publicIp: fixed[at] || null, privateIp }
      const { problem } = seen ?? {}
      if (problem) away.set(name, problem)
      const reached = problem ? (problem instanceof Unreachable ? 'no' : 'unclear') : 'yes'
      return { tenant: it.tenant, proxy: name, ...addresses, reached, revision: state?.revision ?? null }
    })
  })
  const lists = partnerLists(site, plan, session.context)
  const runs = lastRuns(session)
  output.event('status', {
    resources: owned,
    workloads,
    policies,
    lists,
    unknownNodes: unknownNodes(staged),
    forbidden: surveys.flatMap(it => it.found),
    runs,
  })
  output.data(
    narrowTable(
      ['resource', 'name', 'id'],
      owned.map(it => [it.kind, it.name, it.id]),
    ),
  )
  output.data(
    `\n${narrowTable(
      ['tenant', 'workload', 'phase', 'gates', 'ready', 'old', 'waits for', 'last verdict'],
      workloads.map((it, at) => {
        const { pods, waitsFor, verdict } = now?.[at] ?? {}
        const counts = pods ? [`${pods.ready}/${pods.all}`, String(pods.old)] : ['-', '-']
        return [it.tenant, it.workload, it.phase, it.gates, ...counts, waitsFor ?? '-', verdict ?? '-']
      }),
    )}`,
  )
  if (kube && now) output.data(`\n${runLine(await lookAtRun(kube, session.context))}`)
  output.data(
    `\n${narrowTable(
      ['tenant', 'proxy', 'fixed address', 'private address', 'policy revision'],
      policies.map(it => [it.tenant, it.proxy, it.publicIp ?? '-', it.privateIp, revisionIn(it)]),
    )}`,
  )
  if (lists.length > 0) output.data(`\n${partnerTable(lists)}`)
  for (const { message, why } of away.values()) output.say(`${message}: ${why}`)
  output.data(
    `\n${table(
      ['run', 'command', 'ended'],
      runs.map(it => [it.run, it.command, it.status]),
    )}`,
  )
  tellUnknownNodes(staged)
  tellFound(staged, surveys)
  tellLeaks(session, leaks)
  return finish(session, { status: 'ok', changes: countChanges([]), outputs: outputsOf(staged) })
}

/** Where a workload is, by what a plan saw of it. */
export const phaseOf = (phase: string, move: Moved, seen: Pick<SeenStep, 'live' | 'step'> | undefined): string =>
  !seen?.live ? 'not there' : staysAsItIs(move) ? PASSED_OVER : seen.step ? 'start' : phase

/** Pods have no address of their own; the Service's name is how others reach them. */
const gatewayRow = (staged: Staged, tenant: GatewayTenant) => {
  const { live, problem } = staged.plan.seen.get(`gateway-policy/${tenant.tenant}`) ?? {}
  const [publicIp = ''] = publicIpsOf(staged, tenant)
  return {
    ...{ tenant: tenant.tenant, proxy: gatewayName(tenant.tenant) },
    ...{ publicIp: publicIp || null, privateIp: gatewayAddress(tenant.tenant) },
    reached: problem ? 'unclear' : 'yes',
    revision: (live as { revision: string | null } | null | undefined)?.revision ?? null,
  }
}

const revisionIn = ({ reached, revision }: { reached: string; revision: string | null }): string =>
  reached === 'no' ? 'unreachable' : reached === 'unclear' ? 'unclear' : (revision ?? 'none')

/** A host that is away is told as away: nobody waits here until it has booted. */
const impatient = ({ world, clients: { ssh } }: Session): World => ({
  ...world,
  clientsFor: kind =>
    kind === hostPlay
      ? { ssh: { ...ssh, exec: (host, exec) => ssh.exec(host, { ...exec, bootSeconds: 3 }) } satisfies Ssh }
      : world.clientsFor(kind),
})

const laterOf = (site: ReturnType<typeof siteOf>) => {
  const known = new Set(site.cloud.map(it => it.id))
  return [...site.stages.cluster, ...site.stages.configure, ...site.stages.rollout].filter(it => !known.has(it.id))
}

const lastRuns = ({ state }: Session) => {
  const runs = new Map<string, { run: string; command: string; status: string }>()
  for (const it of readJournals(state)) {
    if (it.event === 'run-started') runs.set(it.run, { run: it.run, command: it.command, status: 'not ended' })
    else if (it.event === 'run-ended' && runs.has(it.run)) runs.get(it.run)!.status = it.status
  }
  return [...runs.values()].slice(-10)
}
