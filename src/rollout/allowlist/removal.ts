import { setTimeout as delay } from 'node:timers/promises'
import { word } from '../../engine/desired.ts'
import { millis } from '../../engine/duration.ts'
import type { Kind, Report } from '../../engine/kind.ts'
import { Problem } from '../../engine/problem.ts'
import type { Kube } from '../kube.ts'
import { type Clients, told } from './allowlist.ts'
import { holds, letIn, listEntries, refuseNarrowing, takeOut } from './entries.ts'
import { type Entry, type FirewallRef, showFirewall } from './firewall.ts'
import { leavingTheOldWay, type Movers } from './old-ways.ts'
import { rangeOf } from './range.ts'

/** `keep`: our addresses, without which nothing is taken out. `drain`: a wait for what nobody can see. */
export type Want = Movers & {
  firewall: FirewallRef
  kubeconfig: string
  range: string
  keep: string[]
  drain: string
}
export type Live = { entry: Entry | null }

/** Pods of earlier templates that are on their way out get so long. */
const LEAVING_MS = 60_000

/** One entry that the inventory lists for removal is not in the partner's list, and nobody needs it any more. */
export const allowlistRemovalKind: Kind<Want, Live, Clients & { kube: (kubeconfig: string) => Kube }> = {
  name: 'allowlist-removal',
  looksThroughParents: true,
  takes: { delete: 5 },
  async read({ firewall, range }, { firewalls }, report) {
    const entries = await listEntries(firewalls(firewall), told(firewall, report))
    return { entry: entries.find(it => it.range === rangeOf(range)) ?? null }
  },
  diff({ firewall, range }, live) {
    if (!live?.entry) return null
    return { action: 'delete', summary: `${showFirewall(firewall)}: take out ${range} (${live.entry.description})` }
  },
  async apply(want, { firewalls, kube }, _live, report) {
    const firewall = firewalls(want.firewall)
    const tell = told(want.firewall, report)
    const [range, keep] = [rangeOf(want.range), want.keep.map(rangeOf)]
    if (keep.includes(range)) throw needed(want)
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

/** `allowlistRemoval('client-a/198.51.100.7/32', { firewall, kubeconfig, namespace, range, keep, ... })` */
export const allowlistRemoval = word(allowlistRemovalKind)

/** No provider tells who is connected: a wait for these, and no pod is left that would connect the old way. */
const drained = async (want: Want, kube: Kube, { waiting, signal }: Report): Promise<void> => {
  const began = performance.now()
  for (;;) {
    const left = await leavingTheOldWay(kube, want)
    if (left.length === 0) break
    if (left.some(it => it.stays) || performance.now() - began > LEAVING_MS) throw stillUsed(want, left)
    waiting(`${left[0]!.what} leaves by the old address`)
    await delay(500, undefined, { signal })
  }
  if (millis(want.drain) === 0) return
  waiting(`connections of ${want.range} get ${want.drain} to end`)
  await delay(millis(want.drain), undefined, { signal })
  const left = await leavingTheOldWay(kube, want)
  if (left.length > 0) throw stillUsed(want, left)
}

const stillUsed = ({ firewall, range }: Want, left: { what: string }[]) =>
  new Problem(`${showFirewall(firewall)}: ${range} is still needed`, {
    why: `not by the proxy: ${left
      .slice(0, 5)
      .map(it => it.what)
      .join(', ')}${left.length > 5 ? ` and ${left.length - 5} more` : ''}`,
    next: 'move them too; or, if they never call this partner, say otherPods: ignore in externalAllowlist; it was not taken out',
  })

const needed = ({ firewall, range }: Want) =>
  new Problem(`${showFirewall(firewall)}: ${range} is a fixed address of ours`, {
    why: 'it is listed in remove, and moved workloads leave with it',
    next: 'take it out of remove; nothing was taken out of the list',
  })
