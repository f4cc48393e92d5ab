import { innerOf } from '../../playbooks/configure.ts'
import { textOf } from '../engine/apply.ts'
import type { Seen } from '../engine/plan.ts'
import { isGateway } from '../inventory/context.ts'
import { policyOf } from '../policy/entries.ts'
import { createReplay } from '../policy/replay.ts'
import { replayText } from '../report/replay-table.ts'
import { gatewayPolicyKind } from '../rollout/gateway-pod/policy.ts'
import { proxiesIn } from './audit-hosts.ts'
import { hearGateways, hearProxies, together } from './audit-lines.ts'
import { nameOf } from './hosts.ts'
import { kubeOf } from './kube-of.ts'
import { sinceOf } from './since.ts'
import type { Staged } from './staged.ts'

/** A check is asked often: what is not read by then is left to replay.mjs. */
const withinSeconds = 10

/**
 * For `--check`, where tenants' policies would change: what that would have meant for the requests of the last day.
 * Says what it can; that a log cannot be read changes nothing about the check.
 */
export const foreseeReplay = async (staged: Staged, pending: readonly Seen[]): Promise<void> => {
  const { session } = staged
  const { context, world, output } = session
  const changing = new Map(pending.map(it => [nameOf(it.desired.id), changingIn(it)]))
  const inPods = pending.flatMap(({ desired: { kind, id }, live }) =>
    kind === gatewayPolicyKind && live ? [nameOf(id)] : [],
  )
  const named = [...inPods, ...[...changing.values()].flat()]
  const tenants = context.tenants.filter(({ tenant }) => named.includes(tenant))
  if (tenants.length === 0) return
  const until = Date.now()
  const since = sinceOf('24h', until)
  const policies = tenants.map(it => policyOf(context, it))
  const replaying = createReplay({ since, until, policies, inner: innerOf(context) })
  const proxies = proxiesIn(staged).filter(it => changing.get(it.name)?.length)
  const signal = AbortSignal.any([world.abort, AbortSignal.timeout(withinSeconds * 1000)])
  try {
    const wanted = { since, seconds: withinSeconds, signal }
    const gateways = tenants.filter(isGateway)
    const { sources } = together(
      await hearProxies(session, proxies, wanted, line => replaying.add(line)),
      ...(gateways.length > 0 ? [await hearGateways(kubeOf(staged), gateways, line => replaying.add(line))] : []),
    )
    const made = replaying.end()
    output.event('replay', { replay: { ...made, sources } })
    output.say(replayText(made, 10))
    for (const { problem } of sources) if (problem) output.say(`note: the replay is not whole: ${problem}`)
  } catch (error) {
    if (world.abort.aborted) throw error
    output.say(`note: nothing was replayed: ${textOf(error)}; replay.mjs tries longer`)
  }
}

/** Whose policy a host's play would change; one that is new there has no log yet. */
const changingIn = ({ step }: Seen): string[] =>
  (step?.change.details ?? []).flatMap(({ name, action }) =>
    action === 'update' && name.startsWith(policyTitle) ? [name.slice(policyTitle.length)] : [],
  )

const policyTitle = 'policy of '
