import { gate } from '../gate.ts'
import { fail, inconclusive, pass, type Verdict, worst } from '../measure.ts'
import { type Answer, everyPod, type Probes } from '../probe.ts'
import type { Subject } from '../subject.ts'
import { judgeWitness, marks } from '../witness.ts'

/** Every destination of the tenant's `verify.allowed` answers every pod, through its own environment. */
export const allowedAnswers = gate<Subject, Probes>('an allowed destination answers', {
  interval: '500ms',
  count: 1,
  async ask(subject, probes) {
    const { mark, of } = marks()
    const agents: string[] = []
    const verdicts = await everyPod(subject, probes, async pod => {
      const answers = subject.allowed.map(async url => {
        const agent = of(agents.length)
        agents.push(agent)
        const args = ['-A', agent, '-o', '/dev/null', '-D', '-', '-w', '\\nseen %{http_code} %{http_connect}', url]
        return judgeAnswer(`${pod.metadata.name} to ${url}`, await probes.curl(pod, args))
      })
      return worst(await Promise.all(answers))
    })
    const seen = worst(verdicts)
    if (seen.verdict !== 'pass') return seen
    return judgeWitness(subject, agents, await probes.witnessed(mark, agents.length))
  },
})

/**
 * An answer of the destination itself, other than 403 (it may not know the new address) and its own failures (5xx).
 * Squid marks what it answers in a destination's place by X-Squid-Error.
 */
export const judgeAnswer = (from: string, answer: Answer): Verdict => {
  if ('unheard' in answer) return inconclusive(answer.unheard)
  const { code, stdout, stderr } = answer
  const [, plain = 0, connect = 0] = (/^seen (\d+) (\d+)$/m.exec(stdout) ?? []).map(Number)
  const [, refusal] = /^x-squid-error: *([A-Z_]+)/im.exec(stdout) ?? []
  if (refusal) return fail(`${from}: the proxy answered ${plain || connect} ${refusal}`)
  if (connect >= 400) return fail(`${from}: the proxy answered ${connect}`)
  if (plain === 403) return fail(`${from}: answered 403, does it know the new address?`)
  if (plain >= 500) return inconclusive(`${from}: answered ${plain}`)
  if (plain >= 100 && code === 0) return pass
  return inconclusive(`${from}: no answer, curl exit ${code} ${stderr.trim()}`)
}
