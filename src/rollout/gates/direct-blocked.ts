import { type Answer, everyPod, type Probes } from '../probe.ts'
import { gate } from './gate.ts'
import { fail, inconclusive, pass, type Verdict, worst } from './measure.ts'
import type { Subject } from './subject.ts'

/** Without the proxy nothing gets out: no connection to any echo service. */
export const directBlocked = gate<Subject, Probes>('direct access is blocked', {
  interval: '200ms',
  count: 1,
  async ask(subject, probes) {
    const verdicts = await everyPod(subject, probes, async pod => {
      const tried = await Promise.all(
        subject.echo.map(async url => {
          const args = ['--noproxy', '*', '--connect-timeout', '2', '-o', '/dev/null', '-w', '%{time_connect}', url]
          return isBlocked(`${pod.metadata.name} to ${url}`, await probes.curl(pod, args))
        }),
      )
      return worst(tried)
    })
    return worst(verdicts)
  },
})

/**
 * Refused (7) and timed out (28) are what a policy looks like. A connection that was made is a leak, whatever
 * became of it. Anything else, such as a name that did not resolve (6), never came to the question.
 * @see curl(1), EXIT CODES
 */
export const isBlocked = (from: string, answer: Answer): Verdict => {
  if ('unheard' in answer) return inconclusive(answer.unheard)
  if (answer.code === 0 || Number(answer.stdout) > 0) return fail(`${from}: connected without the proxy`)
  if (answer.code === 7 || answer.code === 28) return pass
  return inconclusive(`${from}: curl exit ${answer.code} ${answer.stderr.trim()}`)
}
