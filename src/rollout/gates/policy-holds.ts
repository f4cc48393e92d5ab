import type { Probes } from '../probe.ts'
import { isReady } from '../workload.ts'
import { clusterWorks } from './cluster-works.ts'
import { directBlocked } from './direct-blocked.ts'
import { egressAddressGate } from './egress-address.ts'
import { forbiddenRefused } from './forbidden-refused.ts'
import { gate } from './gate.ts'
import { inconclusive, type Verdict, worst } from './measure.ts'
import type { Subject } from './subject.ts'

const questions = [directBlocked, egressAddressGate, forbiddenRefused, clusterWorks]

/**
 * Before a tenant's first workload moves: a pod of ours beside one of the canary's, with the label and the variables
 * that it will get, is asked what moved pods are asked.
 */
export const policyHolds = gate<Subject, Probes>('the policy holds a pod with the label', {
  interval: '500ms',
  count: 1,
  inconclusiveLimit: 5,
  async ask(subject, probes) {
    const pods = await probes.pods(subject)
    const like = pods?.find(isReady) ?? pods?.[0]
    if (!like) return inconclusive(`${subject.namespace}/${subject.workload.name} has no pods to stand beside`)
    const stand = await probes.asMoved(like)
    if ('unheard' in stand) return inconclusive(stand.unheard)
    const its: Probes = { ...probes, pods: async () => [stand] }
    const asked = questions.map(async ({ name, ask }) => about(name, await ask(subject, its, new Map())))
    return worst(await Promise.all(asked))
  },
})

const about = (question: string, verdict: Verdict): Verdict =>
  verdict.verdict === 'pass' ? verdict : { ...verdict, reason: `${question}: ${verdict.reason}` }
