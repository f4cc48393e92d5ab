import { fail, gate, inconclusive, pass, type Verdict, worst } from '../gate.ts'
import { addressIn, everyPod, type Probes } from '../probe.ts'
import type { Subject } from '../subject.ts'
import type { Pod } from '../workload.ts'

/** Every pod, through its own environment, is seen with the fixed address by every echo service. */
export const egressAddressGate = gate<Subject, Probes>("egress address is the tenant's own", {
  every: '500ms',
  measure: 2,
  mayFail: 0,
  async ask(subject, probes) {
    const verdicts = await everyPod(subject, probes, async pod =>
      worst(await Promise.all(subject.echo.map(url => seenAs(subject, probes, pod, url, [])))),
    )
    return worst(verdicts)
  },
})

/**
 * For the phase before any workload moves: from a pod that still leaves the old way, the proxy, asked for by
 * name, shows the tenant's fixed address.
 */
export const proxyAnswers = gate<Subject, Probes>('proxy answers with its fixed address', {
  every: '500ms',
  measure: 1,
  mayFail: 0,
  mayBeUnclear: 5,
  async ask(subject, probes) {
    const { address, port } = subject.proxy
    // The pod's NO_PROXY must not take the probe past the proxy.
    const by = ['--noproxy', '', '--proxy', `http://${address}:${port}`]
    const pods = await probes.pods(subject)
    if (!pods?.length) return inconclusive(`${subject.namespace}/${subject.workload.name} has no pods to ask`)
    return worst(await Promise.all(subject.echo.map(url => seenAs(subject, probes, pods[0] as Pod, url, by))))
  },
})

const seenAs = async (
  { proxy: { publicIp } }: Subject,
  probes: Probes,
  pod: Pod,
  url: string,
  by: string[],
): Promise<Verdict> => {
  const from = `${pod.metadata.name} at ${url}`
  const answer = await probes.curl(pod, [...by, '--fail', url])
  if ('unheard' in answer) return inconclusive(answer.unheard)
  if (answer.code !== 0) return inconclusive(`${from}: curl exit ${answer.code} ${answer.stderr.trim()}`)
  const address = addressIn(answer.stdout)
  if (!address) return inconclusive(`${from}: the answer holds no address`)
  return address === publicIp ? pass : fail(`${from}: seen as ${address}, not as ${publicIp}`)
}
