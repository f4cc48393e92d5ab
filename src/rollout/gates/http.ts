import { everyPod, type Probes } from '../probe.ts'
import { answerIn, type Seen } from './answer.ts'
import { fail, inconclusive, pass, type Verdict, worst } from './measure.ts'
import type { Subject } from './subject.ts'

/** GET from every pod with its own environment, or from the operator's machine. */
export type HttpGate = { http: string; from: 'pod' | 'here'; status: number[] }

export const askHttp =
  ({ http: url, from, status }: HttpGate) =>
  async (subject: Subject, probes: Probes): Promise<Verdict> => {
    if (from === 'here') return judgeStatus(url, status, await probes.here.get(url))
    const args = ['-o', '/dev/null', '-D', '-', '-w', '\\nseen %{http_code} %{http_connect}', url]
    const verdicts = await everyPod(subject, probes, async pod =>
      judgeStatus(`${pod.metadata.name} to ${url}`, status, answerIn(await probes.curl(pod, args))),
    )
    return worst(verdicts)
  }

/** Nobody there is an answer: a failure. A question that never left is none. */
export const judgeStatus = (what: string, wanted: readonly number[], seen: Seen): Verdict => {
  if ('unheard' in seen) return inconclusive(`${what}: ${seen.unheard}`)
  if ('refused' in seen) return fail(`${what}: ${seen.refused}`)
  if ('silent' in seen) return fail(`${what}: ${seen.silent}`)
  return wanted.includes(seen.status) ? pass : fail(`${what}: answered ${seen.status}, not ${wanted.join(' or ')}`)
}
