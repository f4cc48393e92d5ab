import { baseline } from './baseline.ts'
import { conflicts } from './conflicts.ts'
import { budget, outage } from './downtime.ts'
import type { Check, Finding } from './finding.ts'
import { hostNetwork } from './host-network.ts'
import { label } from './label.ts'
import { ownership } from './ownership.ts'
import { partnerList } from './partner-list.ts'
import { policies } from './policies.ts'
import { quota } from './quota.ts'
import { rights } from './rights.ts'
import { room } from './room.ts'
import { scaling } from './scaling.ts'
import type { Sight } from './sight.ts'
import { standstill } from './standstill.ts'
import { tools } from './tools.ts'
import { variables } from './variables.ts'

/** By the name that an operator accepts them by. */
const checks: Record<string, Check> = {
  rights,
  baseline,
  standstill,
  ...{ 'host-network': hostNetwork },
  outage,
  budget,
  quota,
  room,
  scaling,
  label,
  policies,
  variables,
  conflicts,
  ownership,
  ...{ 'partner-list': partnerList },
  tools,
}

export const names: readonly string[] = Object.keys(checks)

export type Found = Finding & { check: string }

/** What each check finds; what the tenant accepts is a note. Stops first, in the order of checks. */
export const judge = (sights: readonly { sight: Sight; accept: readonly string[] }[]): Found[] => {
  const found = Object.entries(checks).flatMap(([check, ask]) =>
    sights.flatMap(({ sight, accept }) =>
      ask(sight).map((it): Found => {
        const accepted = it.level === 'stop' && !it.firm && accept.includes(check)
        return { ...it, check, ...(accepted && { level: 'note' as const, next: 'accepted by the tenant file' }) }
      }),
    ),
  )
  const unread = sights.flatMap(({ sight }) => sight.unread.map(it => notRead(sight.namespace, it)))
  const all = [...found, ...unread]
  return [...all.filter(it => it.level === 'stop'), ...all.filter(it => it.level === 'note')]
}

const notRead = (namespace: string, what: string): Found => ({
  check: 'rights',
  level: 'note',
  workload: namespace,
  what: `${what} objects were not looked at`,
  why: 'this user may not list them',
  next: 'give it the right to list them: what they would say is not known',
})
