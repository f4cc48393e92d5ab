import { everyPod, type Probes } from '../probe.ts'
import { answerIn, type Seen } from './answer.ts'
import { gate } from './gate.ts'
import { fail, inconclusive, pass, type Verdict, worst } from './measure.ts'
import type { Subject } from './subject.ts'
import { judgeWitness, marks } from './witness.ts'

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
        return judgeAnswer(`${pod.metadata.name} to ${url}`, answerIn(await probes.curl(pod, args)))
      })
      return worst(await Promise.all(answers))
    })
    const seen = worst(verdicts)
    if (seen.verdict !== 'pass') return seen
    return judgeWitness(subject, agents, await probes.witnessed(mark, agents.length))
  },
})

/** An answer of the destination itself, other than 403 (it may not know the new address) and its own failures (5xx). */
export const judgeAnswer = (from: string, seen: Seen): Verdict => {
  if ('unheard' in seen) return inconclusive(`${from}: ${seen.unheard}`)
  if ('refused' in seen) return fail(`${from}: ${seen.refused}`)
  if ('silent' in seen) return inconclusive(`${from}: ${seen.silent}`)
  if (seen.status === 403) return fail(`${from}: answered 403, does it know the new address?`)
  return seen.status >= 500 ? inconclusive(`${from}: answered ${seen.status}`) : pass
}
