import { type Answer, everyPod, type Probes } from '../probe.ts'
import { fail, inconclusive, pass, type Verdict, worst } from './measure.ts'
import type { Subject } from './subject.ts'

/** `host:port`: a connection, not by way of the proxy; from every pod, or from the operator's machine. */
export type TcpGate = { tcp: string; from: 'pod' | 'here' }

export const askTcp =
  ({ tcp, from }: TcpGate) =>
  async (subject: Subject, probes: Probes): Promise<Verdict> => {
    const { hostname, port } = new URL(`tcp://${tcp}`)
    if (from === 'here') {
      const seen = await probes.here.connect(hostname.replace(/^\[|\]$/g, ''), Number(port))
      if (seen === 'connected') return pass
      return 'silent' in seen ? fail(`${tcp}: ${seen.silent}`) : inconclusive(`${tcp}: ${seen.unheard}`)
    }
    // It says nothing to whoever is there, and hangs up.
    const args = ['--noproxy', '*', '--connect-timeout', '3', '--max-time', '4', '-w', '\\nseen %{time_connect}']
    const verdicts = await everyPod(subject, probes, async pod =>
      judgeConnection(`${pod.metadata.name} to ${tcp}`, await probes.curl(pod, [...args, `telnet://${tcp}`])),
    )
    return worst(verdicts)
  }

/** Refused (7) and timed out (28) before a connection are a no; what came after one is not asked about. */
export const judgeConnection = (what: string, answer: Answer): Verdict => {
  if ('unheard' in answer) return inconclusive(answer.unheard)
  const { code, stdout, stderr } = answer
  if (Number(/^seen ([\d.]+)$/m.exec(stdout)?.[1] ?? 0) > 0) return pass
  const said = `${what}: curl exit ${code} ${stderr.trim()}`
  return code === 7 || code === 28 ? fail(said) : inconclusive(said)
}
