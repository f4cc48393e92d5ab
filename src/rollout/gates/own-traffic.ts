import { BlockList, isIP } from 'node:net'
import { everyPod, isOurs, type Probes } from '../probe.ts'
import type { Pod } from '../workload.ts'
import { gate } from './gate.ts'
import { fail, inconclusive, pass, type Verdict, worst } from './measure.ts'
import type { Socket } from './sockets.ts'
import type { Subject } from './subject.ts'
import type { Witnessed } from './witness.ts'

/**
 * No program in the pods is seen asking for a connection past the proxy: one that ignores its proxy variables hangs
 * there, since the policy drops it. Where nobody can look into a pod, its requests in the proxy's log will do.
 */
export const ownTraffic = gate<Subject, Probes>('no program goes past the proxy', {
  interval: '500ms',
  count: 3,
  async ask(subject, probes) {
    const verdicts = await everyPod(subject, probes, async pod => {
      const sockets = await probes.sockets(pod)
      if (!('unheard' in sockets)) return judgeSockets(subject, pod.metadata.name, sockets.list)
      return judgeRequests(sockets.unheard, await probes.seenFrom(clientsOf(pod)), startOf(pod))
    })
    return worst(verdicts)
  },
})

/** Whoever asks for, or has, a connection that is neither the proxy's nor the cluster's own goes past it. */
export const judgeSockets = ({ proxies, inside }: Subject, pod: string, sockets: readonly Socket[]): Verdict => {
  const allowed = rangesOf([...inside, ...proxies.map(it => it.address), '127.0.0.0/8', '::1'])
  const past = sockets.find(it => !allowed.check(it.remote, isIP(it.remote) === 6 ? 'ipv6' : 'ipv4'))
  if (!past) return pass
  const does = past.state === 'asking' ? 'asks for' : 'has'
  return fail(`${pod}: a program ${does} a connection to ${past.remote} port ${past.port}, past the proxy`)
}

/** The log knows the pod's address or its node's: requests of others on that node look the same. */
export const judgeRequests = (unheard: string, lines: readonly Witnessed[] | null, since: number): Verdict => {
  if (!lines) return inconclusive(`${unheard}, and the proxy's log could not be read`)
  const own = lines.filter(it => !isOurs(it.agent) && it.time >= since)
  return own.length > 0 ? pass : inconclusive(`${unheard}, and the proxy's log has no request of its own`)
}

const clientsOf = ({ status }: Pod): string[] =>
  [status?.podIP, status?.hostIP].filter(it => it !== undefined && it !== '') as string[]

const startOf = ({ status, metadata }: Pod): number =>
  Date.parse(status?.startTime ?? metadata.creationTimestamp ?? '') || 0

const rangesOf = (ranges: readonly string[]): BlockList => {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    if (isIP(address) === 0) continue // a Service's name
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    list.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family)
  }
  return list
}
