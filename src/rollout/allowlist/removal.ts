import { setTimeout as delay } from 'node:timers/promises'
import { word } from '../../engine/desired.ts'
import { millis } from '../../engine/duration.ts'
import type { Kind, Report } from '../../engine/kind.ts'
import { Problem } from '../../engine/problem.ts'
import { rangeOf } from '../../engine/ranges.ts'
import type { Kube } from '../kube/kube.ts'
import { type Clients, told } from './addition.ts'
import { holds, letIn, listEntries, refuseNarrowing, takeOut } from './entries.ts'
import { type Entry, type FirewallRef, showFirewall } from './firewall.ts'
import { leavingTheOldWay, type Mover, untilGone } from './old-ways.ts'

/**
 * `keep`: our addresses, without which nothing is taken out. `movers`: whoever calls this partner by the old address.
 * `drain`: a wait for what nobody can see.
 */
export type Want = {
  firewall: FirewallRef
  kubeconfig: string
  namespace: string
  range: string
  movers: Mover[]
  keep: string[]
  drain: string
}
export type Live = { entry: Entry | null }

/** One entry that the inventory lists for removal is not in the partner's list, and nobody needs it any more. */
export const allowlistRemovalKind: Kind<Want, Live, Clients> = {
  name: 'allowlist-removal',
  looksThroughParents: true,
  takes: { delete: 5 },
  async read({ firewall, range }, { firewalls }, report) {
    const entries = await listEntries(firewalls(firewall), told(firewall, report))
    return { entry: entries.find(it => it.range === rangeOf(range)) ?? null }
  },
  diff(want, live) {
    const { firewall, range } = want
    if (want.keep.map(rangeOf).includes(rangeOf(range))) throw needed(want)
    if (!live?.entry) return null
    return { action: 'delete', summary: `${showFirewall(firewall)}: take out ${range} (${live.entry.description})` }
  },
  async apply(want, { firewalls, kube }, _live, report) {
    const firewall = firewalls(want.firewall)
    const tell = told(want.firewall, report)
    const [range, keep] = [rangeOf(want.range), want.keep.map(rangeOf)]
    const entries = await listEntries(firewall, tell)
    if (!holds(entries, range)) return { entry: null }
    refuseNarrowing(entries, range, keep, tell.what)
    await drained(want, kube(want.kubeconfig), report)
    await takeOut(firewall, { range, keep }, tell)
    return { entry: null }
  },
  /** Let in again and read back, with the words it had. */
  async undo({ firewall: ref }, { firewalls }, before, _now, report) {
    if (before?.entry) await letIn(firewalls(ref), before.entry, told(ref, report))
  },
}

/** `allowlistRemoval('client-a/198.51.100.7/32', { firewall, kubeconfig, namespace, range, keep, movers, drain })` */
export const allowlistRemoval = word(allowlistRemovalKind)

/** No provider tells who is connected: a wait for these, and no pod is left that would connect the old way. */
const drained = async (want: Want, kube: Kube, report: Report): Promise<void> => {
  const { waiting, signal } = report
  const look = () => leavingTheOldWay(kube, want.movers)
  const left = await untilGone(look, report)
  if (left.length > 0) throw new StillNeeded(want, left)
  if (millis(want.drain) === 0) return
  waiting(`connections of ${want.range} get ${want.drain} to end`)
  await delay(millis(want.drain), undefined, { signal })
  const late = await look()
  if (late.length > 0) throw new StillNeeded(want, late)
}

/** Somebody still leaves by it: what has moved may stay so, and the entry stays in the list. */
export class StillNeeded extends Problem {
  constructor({ firewall, range }: Want, left: readonly { what: string }[]) {
    const some = left.slice(0, 5).map(it => it.what)
    super(`${showFirewall(firewall)}: ${range} is still needed`, {
      why: `not by the proxy: ${some.join(', ')}${left.length > 5 ? ` and ${left.length - 5} more` : ''}`,
      next: 'move them too, or say otherPods: ignore in externalAllowlist where pods that are no workload of the inventory never call this partner; then run again. What has moved stays moved, the entry stays',
    })
  }
}

const needed = ({ firewall, range }: Want) =>
  new Problem(`${showFirewall(firewall)}: ${range} is a fixed address of ours`, {
    why: 'it is listed in remove, and moved workloads leave with it',
    next: 'take it out of remove; nothing was taken out of the list',
  })
