import { clusterWorks } from './gates/cluster-works.ts'
import { directBlocked } from './gates/direct-blocked.ts'
import { egressAddressGate, proxyAnswers } from './gates/egress-address.ts'
import { forbiddenRefused } from './gates/forbidden-refused.ts'
import { podsReady } from './gates/pods-ready.ts'

/** Before any workload moves. */
export const gatewayGates = [proxyAnswers]

/** After a workload has moved, cheapest first: the first that does not pass ends the phase. */
export const movedGates = [podsReady, egressAddressGate, directBlocked, forbiddenRefused, clusterWorks]

/** After a soak: what time may have changed. */
export const soakedGates = [podsReady, egressAddressGate]
