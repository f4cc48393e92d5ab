import { setTimeout as delay } from 'node:timers/promises'
import { word } from '../../engine/desired.ts'
import { millis } from '../../engine/duration.ts'
import type { Kind } from '../../engine/kind.ts'
import { rangeOf } from '../../engine/ranges.ts'
import { type Clients, told } from './addition.ts'
import { holds, letIn, listEntries, takeOut } from './entries.ts'
import { type Entry, type FirewallRef, showFirewall } from './firewall.ts'

/** `mark`: the description of entries of ours. `keep`: the addresses that are ours now. */
export type Want = { firewall: FirewallRef; namespace: string; mark: string; keep: string[]; drain: string }
export type Live = { entries: Entry[] }

/**
 * What we let in once and is ours no more, e.g. the address of a proxy that was replaced, is not in the partner's
 * list: it may be somebody else's by now.
 */
export const allowlistLeftoversKind: Kind<Want, Live, Pick<Clients, 'firewalls'>> = {
  name: 'allowlist-leftovers',
  looksThroughParents: true,
  takes: { delete: 5 },
  async read(want, { firewalls }, report) {
    const all = await listEntries(firewalls(want.firewall), told(want.firewall, report))
    return { entries: leftIn(want, all).map(({ range, description }) => ({ range, description })) }
  },
  diff({ firewall }, live) {
    if (!live?.entries.length) return null
    const details = live.entries.map(it => ({ name: it.range, action: 'delete' as const, diff: it.range }))
    return { action: 'delete', summary: `${showFirewall(firewall)}: take out what was ours`, details }
  },
  async apply(want, { firewalls }, _live, report) {
    const firewall = firewalls(want.firewall)
    const tell = told(want.firewall, report)
    const going = leftIn(want, await listEntries(firewall, tell))
    if (going.length > 0 && millis(want.drain) > 0) {
      report.waiting(`connections of addresses that were ours get ${want.drain} to end`)
      await delay(millis(want.drain), undefined, { signal: report.signal })
    }
    for (const { range } of going) await takeOut(firewall, { range, keep: want.keep.map(rangeOf) }, tell)
    return { entries: [] }
  },
  async undo({ firewall: ref }, { firewalls }, before, _now, report) {
    const firewall = firewalls(ref)
    for (const it of before?.entries ?? []) await letIn(firewall, it, told(ref, report))
  },
}

/** `allowlistLeftovers('client-a', { firewall, namespace, mark, keep, drain })` */
export const allowlistLeftovers = word(allowlistLeftoversKind)

const leftIn = ({ mark, keep }: Want, all: readonly Entry[]): Entry[] => {
  const kept = keep.map(it => ({ range: rangeOf(it), description: mark }))
  return all.filter(it => it.description === mark && !holds(kept, it.range))
}
