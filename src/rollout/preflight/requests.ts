import { quantity } from './amounts.ts'

/** Cores and bytes that a pod asks for, and what it is limited to. */
export type Amounts = { cpu: number; memory: number; limitCpu: number; limitMemory: number }

type Resources = { requests?: Record<string, string>; limits?: Record<string, string> }
type Asking = { containers: object[]; initContainers?: object[]; overhead?: Record<string, string> }

/** Containers together, or the one that prepares and asks for more; sidecars among these run beside. */
export const amountsOf = (spec: Asking): Amounts => {
  const sum = (list: object[], of: (it: object) => number) => list.reduce((all: number, it) => all + of(it), 0)
  const init = spec.initContainers ?? []
  const sidecars = init.filter(it => (it as { restartPolicy?: string }).restartPolicy === 'Always')
  const amount = (part: 'requests' | 'limits', name: 'cpu' | 'memory') => {
    const of = (it: object) => {
      const { requests, limits } = (it as { resources?: Resources }).resources ?? {}
      return quantity(part === 'requests' ? (requests?.[name] ?? limits?.[name]) : limits?.[name])
    }
    const running = sum([...spec.containers, ...sidecars], of)
    const first = Math.max(0, ...init.filter(it => !sidecars.includes(it)).map(of))
    return Math.max(running, first) + quantity(spec.overhead?.[name])
  }
  return {
    ...{ cpu: amount('requests', 'cpu'), memory: amount('requests', 'memory') },
    ...{ limitCpu: amount('limits', 'cpu'), limitMemory: amount('limits', 'memory') },
  }
}
