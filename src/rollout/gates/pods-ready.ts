import { gate } from '../gate.ts'
import { fail, inconclusive, pass, worst } from '../measure.ts'
import { everyPod, type Probes } from '../probe.ts'
import type { Subject } from '../subject.ts'
import { isReady } from '../workload.ts'

/** Pods of the new template are ready, and stay so: no restart from one measurement to the next. */
export const podsReady = gate<Subject, Probes>('pods ready and not restarting', {
  interval: '500ms',
  count: 3,
  inconclusiveLimit: 10,
  async ask(subject, probes, memory) {
    const verdicts = await everyPod(subject, probes, async pod => {
      const { name } = pod.metadata
      for (const status of pod.status?.containerStatuses ?? []) {
        const key = `${name}/${status.name}`
        const before = memory.get(key)
        memory.set(key, status.restartCount)
        const ended = status.state?.terminated ?? status.lastState?.terminated
        const why = ended ? `, exit code ${ended.exitCode}` : ''
        if (status.state?.waiting?.reason === 'CrashLoopBackOff') return fail(`${key} keeps crashing${why}`)
        if (before !== undefined && status.restartCount > before) return fail(`${key} restarted${why}`)
      }
      if (isReady(pod)) return pass
      // A pod that starts has not failed yet; one that was ready before has.
      return memory.get(name) === 1
        ? fail(`${name} was ready and is not any more`)
        : inconclusive(`${name} is not ready`)
    })
    for (const pod of (await probes.pods(subject)) ?? []) if (isReady(pod)) memory.set(pod.metadata.name, 1)
    return worst(verdicts)
  },
})
