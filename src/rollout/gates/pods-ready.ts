import { crash, isCrashing, keyOf } from '../pod-trouble.ts'
import { everyPod, type Probes } from '../probe.ts'
import { type ContainerStatus, isReady, type Pod, statusesOf } from '../workload.ts'
import { gate, type Memory } from './gate.ts'
import { fail, inconclusive, pass, type Verdict, worst } from './measure.ts'
import type { Subject } from './subject.ts'

/**
 * Pods of the new template are ready, and stay so: at most one restart since before the move, and none from one
 * measurement to the next, also over a soak. What is not known from before the move counts from the first look.
 */
export const podsReady = gate<Subject, Probes>('pods ready and not restarting', {
  interval: '500ms',
  count: 3,
  inconclusiveLimit: 10,
  consecutiveErrorLimit: 10,
  async ask(subject, probes, memory) {
    const verdicts = await everyPod(subject, probes, async pod => {
      const { name } = pod.metadata
      const restarting = statusesOf(pod).find(it => isRestarting(pod, it, subject.restartsBefore, memory))
      for (const it of statusesOf(pod)) memory.set(keyOf(pod, it), it.restartCount)
      if (restarting) return crashed(probes, pod, restarting, 'restarts')
      const wasReady = memory.get(name) === 1
      if (isReady(pod)) memory.set(name, 1)
      if (isReady(pod)) return pass
      // A pod that starts has not failed yet; one that was ready before has.
      if (!wasReady) return inconclusive(`${name} is not ready`)
      const ended = statusesOf(pod).find(it => it.state?.terminated)
      return ended ? crashed(probes, pod, ended, 'has ended') : fail(`${name} was ready and is not any more`)
    })
    return worst(verdicts)
  },
})

const isRestarting = (
  pod: Pod,
  status: ContainerStatus,
  before: Subject['restartsBefore'],
  memory: Memory,
): boolean => {
  const key = keyOf(pod, status)
  const seen = memory.get(key)
  if (seen !== undefined && status.restartCount > seen) return true
  return isCrashing(status, before ? status.restartCount - (before[key] ?? 0) : 0)
}

const crashed = async (probes: Probes, pod: Pod, status: ContainerStatus, what: string): Promise<Verdict> => {
  const { exitCode, restarts, reason } = crash(status)
  const last = await probes.lastWords(pod, status.name)
  const ended = exitCode === null ? '' : `, exit code ${exitCode}`
  const lines = last ? `; last lines: ${last}` : ''
  return fail(`${keyOf(pod, status)} ${what} (${reason}, ${restarts} restarts in all)${ended}${lines}`)
}
