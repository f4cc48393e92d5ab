import { millis } from '../../engine/duration.ts'
import type { Probes } from '../probe.ts'
import { fail, inconclusive, pass, type Verdict } from './measure.ts'
import type { Subject } from './subject.ts'

/** Run on the operator's machine, in the project's folder. `env`: names of variables that are passed on to it. */
export type CommandGate = { command: string[]; env: string[]; timeout: string }

/** EX_TEMPFAIL of sysexits(3): "try again later". */
const UNCLEAR = 75

/** Exit 0 passes, 75 is inconclusive, everything else fails; what cannot be run is an error. */
export const askCommand =
  ({ command, env, timeout }: CommandGate) =>
  async (subject: Subject, probes: Probes): Promise<Verdict> => {
    const pods = (await probes.pods(subject)) ?? []
    const variables = variablesOf(subject, pods.map(it => it.metadata.name)) // biome-ignore format: one line
    const { code, output } = await probes.here.run(command, { variables, passed: env, timeoutMs: millis(timeout) })
    if (code === 0) return pass
    const last = output.trim().split('\n').at(-1)?.slice(0, 300) ?? ''
    const reason = `${command[0]}: exit code ${code}${last ? `: ${last}` : ''}`
    return code === UNCLEAR ? inconclusive(reason) : fail(reason)
  }

export const variablesOf = (subject: Subject, pods: readonly string[]): Record<string, string> => ({
  EGRESS_TENANT: subject.tenant,
  EGRESS_NAMESPACE: subject.namespace,
  EGRESS_WORKLOAD: subject.workload.name,
  EGRESS_WORKLOAD_KIND: subject.workload.kind,
  EGRESS_PODS: pods.join(' '),
  EGRESS_PROXY: `${subject.proxy.address}:${subject.proxy.port}`,
  EGRESS_ADDRESSES: subject.proxies.map(it => it.publicIp).join(' '),
})
