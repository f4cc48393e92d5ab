import { applyPlan } from '../../engine/apply.ts'
import type { Desired } from '../../engine/desired.ts'
import { makePlan, throwAll } from '../../engine/plan.ts'
import type { ExitCode } from '../../engine/problem.ts'
import { Problem } from '../../engine/problem.ts'
import { countChanges } from '../../engine/step.ts'
import { play } from '../../hosts/play.ts'
import { listRevisions, type Revision, revisionTo } from '../../hosts/revisions.ts'
import { isGateway } from '../../inventory/context.ts'
import { table } from '../../report/table.ts'
import { type ProxyHost, proxiesOf } from '../audit-hosts.ts'
import { agreed } from '../confirm.ts'
import type { Session } from '../session.ts'
import { finish, noChanges } from '../summary.ts'
import { forTenant } from './report.ts'

/** The revisions that the proxies have; with `--to`, one of them is in force again. */
export const policy = async (asked: Session): Promise<ExitCode> => {
  const { to, tenant } = asked.flags
  if (to !== undefined && tenant === undefined) throw noTenant()
  const session = forTenant(asked)
  const { output, flags, world, context } = session
  const inPods = context.tenants.filter(isGateway).map(it => it.tenant)
  if (to !== undefined && inPods.includes(tenant!)) throw onlyOne(tenant!)
  for (const it of inPods) output.say(`note: ${it} leaves by pods, which have one revision: status.mjs names it`)
  const found = await revisionsOf(session)
  if (to === undefined) {
    output.event('revisions', { revisions: found.flatMap(({ name, all }) => all.map(it => ({ proxy: name, ...it }))) })
    output.data(revisionsText(found))
    return finish(session, { status: 'ok', changes: noChanges })
  }
  const desired = found.map((it): Desired => turned(it, tenant!, to))
  if (differ(found, tenant!, to))
    output.say(`note: ${to} is not the same policy on each proxy; a hash, as in NUMBER-HASH, is`)
  const plan = await makePlan(desired, world)
  const steps = [...plan.seen.values()].filter(it => it.step)
  for (const { desired, step } of steps) {
    output.event('planned', { step: desired.id, change: step!.change })
    output.data(`  ~ ${desired.id} ${step!.change.details?.map(it => `${it.name} ${it.diff ?? ''}`).join(', ') ?? ''}`)
  }
  if (steps.length === 0) return finish(session, { status: 'ok', changes: noChanges })
  const changes = { ...noChanges, update: steps.length }
  if (flags.check) return finish(session, { status: 'changes-pending', changes })
  await agreed(session, `Bring these revisions back in ${session.context.context}?`)
  const outcome = await applyPlan(plan, 'policy', world)
  output.know({ changes: countChanges([...outcome.changes.values()]) })
  throwAll(outcome.failures.map(it => it.error))
  output.say('the next 40-configure makes the policy of the inventory true again')
  return finish(session, { status: 'ok', changes: countChanges([...outcome.changes.values()]) })
}

type Found = ProxyHost & { all: Revision[] }

export const revisionsOf = async (session: Session): Promise<Found[]> => {
  const { clients, world } = session
  const proxies = await proxiesOf(session)
  return Promise.all(
    proxies.map(async it => ({ ...it, all: it.host ? await listRevisions(clients.ssh, it.host, world.abort) : [] })),
  )
}

/** Each proxy counts for itself, so a number or `previous` may be another policy on another. */
const differ = (found: readonly Found[], tenant: string, to: string): boolean => {
  const chosen = found.map(it => revisionTo(ofTenant(it, tenant), to)?.revision.split('-')[1])
  return new Set(chosen).size > 1
}

const ofTenant = ({ all }: Found, tenant: string) => all.filter(it => it.tenant === tenant)

const turned = (one: Found, tenant: string, to: string) => {
  const { name, host } = one
  const mine = ofTenant(one, tenant)
  const found = revisionTo(mine, to)
  if (!host || !found)
    throw new Problem(`${name} has no ${to === 'previous' ? 'previous revision' : `revision ${to}`} of ${tenant}`, {
      why: mine.length ? `it has ${mine.map(it => it.revision).join(', ')}` : 'it has none at all',
      next: 'npx zx scripts/policy.mjs lists what there is',
      exit: 2,
    })
  return play(name, { host, tasks: [{ task: 'revision', tenant, to: found.revision }], handlers: {} })
}

const revisionsText = (found: readonly Found[]): string =>
  table(
    ['proxy', 'tenant', 'revision', 'installed', 'mode', 'rules', ''],
    found.flatMap(({ name, all }) =>
      all.map(it => [
        ...[name, it.tenant, it.revision, it.installed, it.mode, String(it.rules)],
        it.current ? (it.inForce ? 'in force' : 'not taken by Squid') : '',
      ]),
    ),
  )

const noTenant = () =>
  new Problem('--to needs --tenant', {
    why: 'revisions are numbered by tenant',
    next: 'e.g. npx zx scripts/policy.mjs --tenant client-a --to previous',
    exit: 2,
  })

const onlyOne = (tenant: string) =>
  new Problem(`no earlier revision of ${tenant} is kept`, {
    why: 'it leaves by pods of the cluster, whose ConfigMap has the one that is in force',
    next: `change egress.allow in tenants/${tenant}.yaml and deploy, or take the run back with rollback.ts --run ID`,
    exit: 2,
  })
