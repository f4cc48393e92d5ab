import { everyPod, type Probes } from '../probe.ts'
import { fail, inconclusive, pass, type Verdict, worst } from './measure.ts'
import type { Subject } from './subject.ts'

/** A text in the last lines of every new pod's log: that is there, or is not. `container`: absent: the first. */
export type LogGate = {
  log: { contains?: string | undefined; absent?: string | undefined; container?: string | undefined }
}

export const askLog =
  ({ log: { contains, absent, container } }: LogGate) =>
  async (subject: Subject, probes: Probes): Promise<Verdict> => {
    const verdicts = await everyPod(subject, probes, async pod => {
      const name = container ?? pod.spec.containers[0]?.name ?? ''
      return judgeLog(`${pod.metadata.name}/${name}`, await probes.log(pod, name), { contains, absent })
    })
    return worst(verdicts)
  }

/** What is not written yet may come: that is no failure. */
export const judgeLog = (of: string, text: string, { contains, absent }: LogGate['log']): Verdict => {
  if (absent !== undefined && text.includes(absent)) return fail(`${of} has logged ${JSON.stringify(absent)}`)
  if (contains === undefined || text.includes(contains)) return pass
  return inconclusive(`${of} has not logged ${JSON.stringify(contains)}`)
}
