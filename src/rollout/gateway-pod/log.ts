import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '../../engine/problem.ts'
import type { Kube } from '../kube/kube.ts'
import { gatewayPods } from './pods.ts'

/** Of one pod: its audit lines, oldest first, among the other things that Squid says. `lines` null: they cannot be read. */
type GatewayLog = { pod: string; ip: string; lines: string[] | null; why: string }

/**
 * The audit lines that the pods of a tenant's gateway still have. A kubelet keeps some megabytes of each, and what a
 * pod wrote goes with it.
 */
export const gatewayLogs = async (kube: Kube, tenant: string, tailLines?: number): Promise<GatewayLog[]> => {
  const pods = await gatewayPods(kube, tenant)
  return Promise.all(
    pods.map(async ({ name: pod, namespace, ip }) => {
      try {
        const at = { namespace, pod, container: 'squid', ...(tailLines !== undefined && { tailLines }) }
        const text = await kube.logs(at)
        return { pod, ip, lines: text.split('\n').filter(it => it.startsWith('{"time":"')), why: '' }
      } catch (thrown) {
        if (!(thrown instanceof Problem)) throw thrown
        return { pod, ip, lines: null, why: `${thrown.message}: ${thrown.why}` }
      }
    }),
  )
}

type Search = { needle: string; atLeast: number; withinMs: number; signal: AbortSignal }

/**
 * Looks until there are so many lines with the text, or the time is over. null: a pod's log could not be read, and no
 * other has it. A line's own address is that of its pod, which behind the node nobody sees: `as` stands for it.
 */
export const searchGateway = async (
  kube: Kube,
  tenant: string,
  as: string,
  { needle, atLeast, withinMs, signal }: Search,
): Promise<string[] | null> => {
  for (const end = performance.now() + withinMs; ; await delay(300, undefined, { signal })) {
    const logs = await gatewayLogs(kube, tenant, 5000)
    const found = logs.flatMap(({ ip, lines }) =>
      (lines ?? []).filter(it => it.includes(needle)).map(it => it.replace(`"egress":"${ip}"`, `"egress":"${as}"`)),
    )
    if (found.length >= atLeast || performance.now() >= end)
      return found.length > 0 || (logs.length > 0 && logs.every(it => it.lines)) ? found : null
  }
}
