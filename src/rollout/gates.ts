import type { Gate } from './gate.ts'
import { allowedAnswers } from './gates/allowed-answers.ts'
import { clusterWorks } from './gates/cluster-works.ts'
import { directBlocked } from './gates/direct-blocked.ts'
import { egressAddressGate, proxyAnswers } from './gates/egress-address.ts'
import { forbiddenRefused } from './gates/forbidden-refused.ts'
import { ownTraffic } from './gates/own-traffic.ts'
import { podsReady } from './gates/pods-ready.ts'
import type { Limits } from './measure.ts'
import type { Probes } from './probe.ts'
import type { Subject } from './subject.ts'
import { limitsIn, type UserGate, userGate } from './user-gates.ts'

export type OurGate = Gate<Subject, Probes>

/** When gates are asked: before any workload moves, after one has moved, and after a soak. */
export type Moment = 'gateway' | 'moved' | 'soaked'

/** Cheapest first: the first that does not pass ends the phase. */
const builtIn: Record<Moment, readonly OurGate[]> = {
  gateway: [proxyAnswers],
  moved: [podsReady, egressAddressGate, allowedAnswers, directBlocked, forbiddenRefused, clusterWorks, ownTraffic],
  // What time may have changed.
  soaked: [podsReady, egressAddressGate, allowedAnswers, ownTraffic],
}

/** What a tenant's file says about gates. */
export type Otherwise = { verify?: { allowed: string[] } | undefined; rollout?: Limited }

type Limited = {
  gates?: UserGate[] | undefined
  builtIn?: { [gate: string]: { [word in keyof Limits]?: Limits[word] | undefined } } | undefined
}

/** The gates of a moment with the limits that a tenant's file gives them, and then its own. */
export const gatesAt = (
  moment: Moment,
  { verify, rollout: { builtIn: limits = {}, gates = [] } = {} }: Otherwise = {},
): OurGate[] => [
  ...builtIn[moment]
    .filter(it => it !== allowedAnswers || verify !== undefined)
    .map(it => ({ ...it, ...limitsIn(limits[it.name] ?? {}) })),
  ...(moment === 'gateway' ? [] : gates.map(userGate)),
]
