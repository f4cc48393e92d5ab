import { quantity } from './amounts.ts'

/** Cores and bytes that a pod asks for, and what it is limited to. */
export type Amounts = { cpu: number; memory: number; limitCpu: number; limitMemory: number }

type Resources = { requests?: Record<string, string>; limits?: Record<string, string> }
type Asking = { containers: object[]; initContainers?: object[]; overhead?: Record<string, string> }

/** Containers and sidecars together, or one that prepares, beside the sidecars before it, where that is more. */
export const amountsOf = (spec: Asking): Amounts => {
  const amount = (part: 'requests' | 'limits', name: 'cpu' | 'memory') => {
    const of = (it: object) => {
      const { requests, limits } = (it as { resources?: Resources }).resources ?? {}
      return quantity(part === 'requests' ? (requests?.[name] ?? limits?.[name]) : limits?.[name])
    }
    let beside = 0
    let first = 0
    for (const it of spec.initContainers ?? []) {
      first = Math.max(first, beside + of(it))
      if ((it as { restartPolicy?: string }).restartPolicy === 'Always') beside += of(it)
    }
    const running = spec.containers.reduce((all: number, it) => all + of(it), beside)
    return Math.max(running, first) + quantity(spec.overhead?.[name])
  }
  return {
    ...{ cpu: amount('requests', 'cpu'), memory: amount('requests', 'memory') },
    ...{ limitCpu: amount('limits', 'cpu'), limitMemory: amount('limits', 'memory') },
  }
}
