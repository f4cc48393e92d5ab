import { proxyUrl } from '../no-proxy.ts'
import { addressIn, everyPod, type Probes } from '../probe.ts'
import type { Pod } from '../workload.ts'
import { gate } from './gate.ts'
import { fail, inconclusive, pass, type Verdict, worst } from './measure.ts'
import type { Subject } from './subject.ts'
import { judgeWitness, marks } from './witness.ts'

/**
 * Every pod, through its own environment, is seen with one of the fixed addresses by every echo service, and the
 * proxy's log says the same of these very requests.
 */
export const egressAddressGate = gate<Subject, Probes>("egress address is the tenant's own", {
  interval: '500ms',
  count: 2,
  async ask(subject, probes) {
    const fixed = subject.proxies.map(it => it.publicIp)
    const { mark, of } = marks()
    const agents: string[] = []
    const marked = () => {
      agents.push(of(agents.length))
      return ['-A', agents.at(-1) ?? '']
    }
    const verdicts = await everyPod(subject, probes, async pod =>
      worst(await Promise.all(subject.echo.map(url => seenAs(fixed, probes.curl, pod, url, marked())))),
    )
    const seen = worst(verdicts)
    if (seen.verdict !== 'pass') return seen
    return judgeWitness(subject, agents, await probes.witnessed(mark, agents.length))
  },
})

/**
 * For the phase before any workload moves: from a pod that still leaves the old way, each proxy, asked for by
 * name, shows its own fixed address, and a Service before them one of these. A pod that has not moved has no
 * certificate: where one is asked for, the proxy must cut it off, and the address is seen when the canary has moved.
 * Where only moved pods are let in, a pod of ours asks that looks like one.
 */
export const proxyAnswers = gate<Subject, Probes>('proxy answers with its fixed address', {
  interval: '500ms',
  count: 1,
  inconclusiveLimit: 5,
  async ask(subject, probes) {
    const { proxy, proxies } = subject
    const ways = proxies.map(({ publicIp, ...at }) => ({ ...at, fixed: [publicIp] }))
    if (ways.every(it => it.address !== proxy.address)) ways.push({ ...proxy, fixed: proxies.map(it => it.publicIp) })
    const pods = await probes.pods(subject)
    if (!pods?.length) return inconclusive(`${subject.namespace}/${subject.workload.name} has no pods to ask`)
    const curl = subject.onlyMoved ? probes.curlAsMoved : probes.curl
    const asked = ways.flatMap(({ fixed, ...at }) => {
      // The pod's NO_PROXY must not take the probe past the proxy.
      const by = ['--noproxy', '', '--proxy', proxyUrl(at)]
      if (at.certificates) return [cutOff(probes, pods[0] as Pod, subject.echo[0]!, by)]
      return subject.echo.map(url => seenAs(fixed, curl, pods[0] as Pod, url, by))
    })
    return worst(await Promise.all(asked))
  },
})

/** The handshake is whole for a client (TLS 1.3), or ends with an alert; what speaks no TLS ends otherwise. */
const cutOff = async (probes: Probes, pod: Pod, url: string, by: string[]): Promise<Verdict> => {
  const answer = await probes.curl(pod, [...by, '--proxy-insecure', url])
  if ('unheard' in answer) return inconclusive(answer.unheard)
  const { code, stderr } = answer
  if (code === 55 || code === 56 || (code === 35 && /alert/i.test(stderr)))
    return /CONNECT tunnel failed/.test(stderr) ? heard(pod) : pass
  return code === 0
    ? heard(pod)
    : inconclusive(`${pod.metadata.name} by ${by.at(-1)}: curl exit ${code} ${stderr.trim()}`)
}

const heard = (pod: Pod) => fail(`${pod.metadata.name} shows no certificate, and was answered`)

type Curl = Probes['curl']

const seenAs = async (fixed: string[], curl: Curl, pod: Pod, url: string, args: string[]): Promise<Verdict> => {
  const from = `${pod.metadata.name} at ${url}`
  const answer = await curl(pod, [...args, '--fail', url])
  if ('unheard' in answer) return inconclusive(answer.unheard)
  if (answer.code !== 0) return inconclusive(`${from}: curl exit ${answer.code} ${answer.stderr.trim()}`)
  const address = addressIn(answer.stdout)
  if (!address) return inconclusive(`${from}: the answer holds no address`)
  return fixed.includes(address) ? pass : fail(`${from}: seen as ${address}, not as ${fixed.join(' or ')}`)
}
