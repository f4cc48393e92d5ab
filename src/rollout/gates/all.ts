import type { Probes } from '../probe.ts'
import { allowedAnswers } from './allowed-answers.ts'
import { clusterWorks } from './cluster-works.ts'
import { directBlocked } from './direct-blocked.ts'
import { egressAddressGate, proxyAnswers } from './egress-address.ts'
import { forbiddenRefused } from './forbidden-refused.ts'
import type { Gate } from './gate.ts'
import type { Limits } from './measure.ts'
import { ownTraffic } from './own-traffic.ts'
import { partnerAnswers } from './partner-answers.ts'
import { podsReady } from './pods-ready.ts'
import { policyHolds } from './policy-holds.ts'
import type { Subject } from './subject.ts'
import { limitsIn, type UserGate, userGate } from './user-gates.ts'

export type OurGate = Gate<Subject, Probes>

/**
 * When gates are asked: before any workload moves, before a tenant's first does, after one has moved, after a soak, and
 * before and after an entry of a partner's list goes.
 */
export type Moment = 'gateway' | 'ahead' | 'moved' | 'soaked' | 'allowlist'

/** Cheapest first: the first that does not pass ends the phase. */
const builtIn: Record<Moment, readonly OurGate[]> = {
  gateway: [proxyAnswers],
  ahead: [policyHolds],
  moved: [
    podsReady,
    egressAddressGate,
    allowedAnswers,
    directBlocked,
    forbiddenRefused,
    clusterWorks,
    ownTraffic,
    partnerAnswers,
  ],
  // What time may have changed.
  soaked: [podsReady, egressAddressGate, allowedAnswers, ownTraffic, partnerAnswers],
  allowlist: [partnerAnswers],
}

/** What a tenant's file says about gates. */
export type Otherwise = { verify?: { allowed: string[] } | undefined; rollout?: Limited }

type Limited = {
  gates?: UserGate[] | undefined
  externalAllowlist?: { prove?: string | undefined } | undefined
  builtIn?: { [gate: string]: { [word in keyof Limits]?: Limits[word] | undefined } } | undefined
}

/** The gates of a moment with the limits that a tenant's file gives them, and then its own. */
export const gatesAt = (
  moment: Moment,
  { verify, rollout: { builtIn: limits = {}, gates = [], externalAllowlist } = {} }: Otherwise = {},
): OurGate[] => [
  ...builtIn[moment]
    .filter(it => it !== allowedAnswers || verify !== undefined)
    .filter(it => it !== partnerAnswers || externalAllowlist?.prove !== undefined)
    .map(it => ({ ...it, ...limitsIn(limits[it.name] ?? {}) })),
  ...(moment === 'moved' || moment === 'soaked' ? gates.map(userGate) : []),
]
