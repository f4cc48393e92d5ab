import { word } from '../../engine/desired.ts'
import type { Kind, Report } from '../../engine/kind.ts'
import { rangeOf } from '../../engine/ranges.ts'
import type { Kube } from '../kube/kube.ts'
import { holds, letIn, listEntries, type Told, takeOut } from './entries.ts'
import { type Entry, type FirewallRef, type Firewalls, showFirewall } from './firewall.ts'
import { inTurn } from './in-turn.ts'
import { leavingTheNewWay, type Moved, untilGone } from './old-ways.ts'

/**
 * `addresses`: the fixed ones of the tenant. `mark`: the description by which entries of ours are known. `users`: who
 * leaves by these addresses once moved, also of other tenants.
 */
export type Want = {
  firewall: FirewallRef
  kubeconfig: string
  namespace: string
  mark: string
  addresses: string[]
  users: Moved[]
}
export type Live = { entries: Entry[] }
export type Clients = { firewalls: Firewalls; kube: (kubeconfig: string) => Kube }

/**
 * The partner lets our fixed addresses in, beside whatever it lets in already. It comes before any workload moves, so
 * that in a rollback it goes last: who still leaves by a proxy is never outside.
 */
export const allowlistAdditionKind: Kind<Want, Live, Clients> = {
  name: 'allowlist-addition',
  looksThroughParents: true,
  takes: { update: 2 },
  async read({ firewall }, { firewalls }, report) {
    return { entries: inOrder(await listEntries(firewalls(firewall), told(firewall, report))) }
  },
  diff(want, live) {
    const missing = missingIn(want, live)
    if (missing.length === 0) return null
    const details = missing.map(it => ({ name: it, action: 'create' as const, diff: `${it} (${want.mark})` }))
    return { action: 'update', summary: `${showFirewall(want.firewall)}: let in ${missing.join(', ')}`, details }
  },
  async apply(want, { firewalls }, _live, report) {
    const firewall = firewalls(want.firewall)
    const tell = told(want.firewall, report)
    let entries = await listEntries(firewall, tell)
    for (const range of missingIn(want, { entries }))
      entries = await letIn(firewall, { range, description: want.mark }, tell)
    return { entries: inOrder(entries) }
  },
  /** What a run let in goes; what was there before stays, and so do the last entry and what a pod still leaves by. */
  async undo(want, { firewalls, kube }, before, _now, report) {
    const firewall = firewalls(want.firewall)
    const tell = told(want.firewall, report)
    const wanted = want.addresses.map(rangeOf)
    const ours = (it: Entry) => it.description === want.mark || wanted.includes(it.range)
    const going = (entries: Entry[]) =>
      entries.filter(it => ours(it) && !holds(before?.entries ?? [], it.range)).map(it => it.range)
    if (going(await listEntries(firewall, tell)).length === 0) return
    const left = await untilGone(() => leavingTheNewWay(kube(want.kubeconfig), want.users), report)
    await inTurn(tell.what, async () => {
      const entries = await listEntries(firewall, tell)
      const goes = new Set(going(entries))
      const others = new Set(entries.filter(it => !goes.has(it.range)).map(it => it.range))
      for (const range of goes) {
        if (left[0]) report.progress(`${range} stays: ${left[0].what} leaves by it`)
        else if (others.size > 0) await takeOut(firewall, { range, keep: [...others] }, tell)
        else report.progress(`${range} stays: an empty list may let in everybody, or nobody`)
      }
    })
  },
}

/** `allowlistAddition('client-a', { firewall, kubeconfig, namespace, mark, addresses, users })` */
export const allowlistAddition = word(allowlistAdditionKind)

export const told = (firewall: FirewallRef, report: Report): Told => ({
  what: showFirewall(firewall),
  waiting: what => report.waiting(what),
  progress: (part, data) => report.progress(part, data),
  signal: report.signal,
  // Nothing is changed yet: a list that does not answer is looked at again later.
  ...(report.planning && { withinMs: 3000 }),
})

const missingIn = ({ addresses }: Want, live: Live | null): string[] =>
  [...new Set(addresses.map(rangeOf))].filter(it => !holds(live?.entries ?? [], it))

/** As a journal keeps it: the order of the API says nothing. */
const inOrder = (entries: Entry[]): Entry[] =>
  entries
    .map(({ range, description }) => ({ range, description }))
    .sort((a, b) => (a.range < b.range ? -1 : a.range > b.range ? 1 : 0))
