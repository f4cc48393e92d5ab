import { type Answer, everyPod, type Probes } from '../probe.ts'
import { judgeAnswer } from './allowed-answers.ts'
import { answerIn } from './answer.ts'
import { gate } from './gate.ts'
import { fail, inconclusive, pass, type Verdict, worst } from './measure.ts'
import type { Subject } from './subject.ts'
import { judgeWitness, marks } from './witness.ts'

/**
 * The partner of `externalAllowlist.prove` takes a new connection from every pod, by the proxy and with its fixed
 * address, as the proxy's log says. What a firewall was told works a little later: asked again for half a minute.
 */
export const partnerAnswers = gate<Subject, Probes>('the partner lets it in', {
  interval: '5s',
  count: 6,
  failureLimit: 5,
  consecutiveSuccessLimit: 1,
  async ask(subject, probes) {
    const { mark, of } = marks()
    const { url, tunnel } = proofOf(subject.prove ?? '')
    const agents: string[] = []
    const verdicts = await everyPod(subject, probes, async pod => {
      const agent = of(agents.length)
      agents.push(agent)
      const quick = tunnel ? ['-k', '--max-time', '5'] : []
      const args = ['-A', agent, '-o', '/dev/null', '-D', '-', '-w', '\\nseen %{http_code} %{http_connect}', ...quick]
      const answer = await probes.curl(pod, [...args, url])
      const what = `${pod.metadata.name} to ${subject.prove}`
      return tunnel ? judgeTunnel(what, answer) : judgeAnswer(what, answerIn(answer))
    })
    const seen = worst(verdicts)
    return seen.verdict === 'pass' ? judgeWitness(subject, agents, await probes.witnessed(mark, agents.length)) : seen
  },
})

/** `host:port` is a tunnel and nothing in it, which the proxy gives only once it has the connection. */
export const proofOf = (prove: string): { url: string; tunnel: boolean } =>
  prove.startsWith('https://') ? { url: prove, tunnel: false } : { url: `https://${prove}/`, tunnel: true }

/** What the program behind the port says to a TLS greeting does not matter: the tunnel stood. */
export const judgeTunnel = (what: string, answer: Answer): Verdict => {
  const seen = answerIn(answer)
  if ('refused' in seen) return fail(`${what}: ${seen.refused}`)
  if (!('unheard' in answer) && /^seen \d+ 200$/m.test(answer.stdout)) return pass
  if ('status' in seen) return inconclusive(`${what}: answered, and not by way of the proxy`)
  return inconclusive(`${what}: ${'unheard' in seen ? seen.unheard : seen.silent}`)
}
