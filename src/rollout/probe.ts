import { isIP } from 'node:net'
import { Problem } from '../engine/problem.ts'
import { inconclusive, type Verdict } from './gates/measure.ts'
import { type Socket, socketsIn } from './gates/sockets.ts'
import type { Subject } from './gates/subject.ts'
import { OUR_AGENT, type Witnessed } from './gates/witness.ts'
import type { Here } from './here.ts'
import { keptPods, keptText } from './kept-pods.ts'
import type { Kube } from './kube/kube.ts'
import { lastWords } from './last-words.ts'
import { EGRESS_LABEL } from './manifests.ts'
import { PROXY_FILES, proxyEnv } from './no-proxy.ts'
import { type AsMoved, PROBE_CONTAINER, PROBE_LABEL, type Prober } from './probe-pod.ts'
import { toldProxy } from './told-proxy.ts'
import { isLeaving, type Pod } from './workload.ts'
import { readRollout } from './workloads/read.ts'

/** What a command in a pod came to. `unheard`: it cannot be said, and why. */
export type Answer = { code: number; stdout: string; stderr: string } | Unheard

/** `lacks`: there is no such program in the container. */
type Unheard = { unheard: string; lacks?: true }

/** How gates look: from inside the pods, and into the proxy's log. */
export type Probes = {
  /** Pods of the workload's current template that are not on their way out. Null: no such workload. */
  pods(subject: Subject): Promise<Pod[] | null>
  /** What its owner has to do before it has a pod of that template; null: nothing. */
  lacksOwner?(subject: Subject): Promise<string | null>
  /** curl in the pod's first container, with the environment it has there; without curl, in a pod that stands in. */
  curl(pod: Pod, args: string[]): Promise<Answer>
  /** A pod that runs and stands in for this one as it will be when it has moved; it goes when the gates are through. */
  asMoved(pod: Pod): Promise<Pod | { unheard: string }>
  /** curl in that one. */
  curlAsMoved(pod: Pod, args: string[]): Promise<Answer>
  /** TCP connections of the pod, by whichever of its containers has cat. */
  sockets(pod: Pod): Promise<{ list: Socket[] } | { unheard: string }>
  /** The last lines of a container's log, 2000 at most. */
  log(pod: Pod, container: string): Promise<string>
  here: Here
  /** The last lines that a container which ended has written; '': none are there. */
  lastWords(pod: Pod, container: string): Promise<string>
  /** Lines of the tenant's audit log that hold the text; null: the log could not be read. */
  auditLog(needle: string): Promise<string[] | null>
  /** What the tenant's proxies wrote down of requests that came with the mark; waits a while for so many. */
  witnessed(mark: string, atLeast: number): Promise<Witnessed[] | null>
  /** What they wrote down of requests from one of these addresses. */
  seenFrom(clients: string[]): Promise<Witnessed[] | null>
}

/** The part of it that is not looked at through the cluster. */
export type Logs = Pick<Probes, 'auditLog' | 'witnessed' | 'seenFrom' | 'here'>

const nowhere = { unheard: 'not asked from here' }

export const noLogs: Logs = {
  here: {
    get: async () => nowhere,
    connect: async () => nowhere,
    run: () => Promise.reject(new Error('nothing is run here')),
  },
  auditLog: async () => null,
  witnessed: async () => null,
  seenFrom: async () => null,
}

const SECONDS = 10

const labelOnly = (): AsMoved => ({ labels: { [EGRESS_LABEL.key]: EGRESS_LABEL.value } })

export const createProbes = (
  kube: Kube,
  {
    signal,
    prober,
    moved = labelOnly,
    note = () => undefined,
    ...logs
  }: Logs & { signal?: AbortSignal; prober?: Prober; moved?: () => AsMoved; note?: (text: string) => void },
): Probes => {
  const asMoved: Probes['asMoved'] = async pod =>
    prober?.for(pod, moved()) ?? { unheard: `nobody stands in for ${pod.metadata.name}` }
  return {
    asMoved,
    async pods({ namespace, workload }) {
      const rollout = await readRollout(kube, { namespace, ...workload })
      const pods = rollout?.current.filter(pod => !isLeaving(pod)) ?? null
      const kept = rollout && pods?.length ? keptPods(rollout) : null
      if (kept) note(keptText(kept))
      return pods
    },
    async lacksOwner({ namespace, workload }) {
      const rollout = await readRollout(kube, { namespace, ...workload })
      const kept = rollout && keptPods(rollout)
      return kept && `${keptText(kept)}: ${kept.renew}`
    },
    async curlAsMoved(pod, args) {
      const stand = await asMoved(pod)
      return 'unheard' in stand ? stand : runIn(kube, stand, PROBE_CONTAINER, curlOf(stand, args), signal)
    },
    async curl(pod, args) {
      const told = toldProxy(pod, moved().env)
      if (told.length > 0 && !args.includes('--noproxy'))
        note(`${pod.metadata.name} has no proxy variables: asked with the proxy of ConfigMap egress-proxy`)
      const command = curlOf(pod, [...told, ...args])
      if (!prober?.has(pod)) {
        const answer = await runIn(kube, pod, pod.spec.containers[0]?.name ?? '', command, signal)
        const isStandIn = pod.metadata.labels?.[PROBE_LABEL] !== undefined
        if (!prober || isStandIn || !('unheard' in answer) || !answer.lacks) return answer
      }
      const stand = await prober.for(pod)
      return 'unheard' in stand ? stand : runIn(kube, stand, PROBE_CONTAINER, command, signal)
    },
    async sockets(pod) {
      let unheard = `pod ${pod.metadata.name} has no container`
      for (const { name } of pod.spec.containers) {
        // Where IPv6 is off there is no tcp6, and cat says so by its exit code.
        const answer = await runIn(kube, pod, name, ['cat', '/proc/net/tcp', '/proc/net/tcp6'], signal)
        const list = 'unheard' in answer ? null : socketsIn(answer.stdout)
        if (list) return { list }
        unheard = 'unheard' in answer ? answer.unheard : `${pod.metadata.name}: its connections could not be read`
      }
      return { unheard }
    },
    log: ({ metadata: { namespace = '', name } }, container) =>
      kube.logs({ namespace, pod: name, container, tailLines: 2000 }),
    lastWords: ({ metadata: { namespace = '', name } }, container) => lastWords(kube, namespace, name, container),
    ...logs,
  }
}

/** The last -A counts: who marks a request goes over ours. */
const curlOf = ({ spec }: Pod, args: string[]): string[] => [
  ...['curl', '-q', ...settings(spec), '-s', '-S', '-A', OUR_AGENT, '--max-time', String(SECONDS)],
  ...args,
]

/** Where the proxy asks for certificates, curl finds the pod's own by what was mounted with it. */
const settings = ({ containers: [first] }: Pod['spec']): string[] =>
  first?.volumeMounts?.some(it => it.mountPath === PROXY_FILES) ? ['-K', `${PROXY_FILES}/.curlrc`] : []

const runIn = async (
  kube: Kube,
  { metadata: { namespace = '', name } }: Pod,
  container: string,
  command: string[],
  signal: AbortSignal | undefined,
): Promise<Answer> => {
  const lacks: Answer = { unheard: `container ${container} of pod ${name} has no ${command[0]}`, lacks: true }
  try {
    const options = { timeoutMs: (SECONDS + 10) * 1000, ...(signal && { signal }) }
    const result = await kube.exec({ namespace, pod: name, container, command }, options)
    return result.code === 127 || result.code === 126 ? lacks : result
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown
    return /executable file not found|no such file/i.test(thrown.why) ? lacks : { unheard: `${name}: ${thrown.why}` }
  }
}

/** Of a gate or of evidence, not of a program in the pod. */
export const isOurs = (agent: string): boolean => agent.startsWith(OUR_AGENT) || agent.startsWith('evidence-')

/** Asks every pod. A workload that is not there, or has no pods, proves nothing. */
export const everyPod = async (
  subject: Subject,
  probes: Probes,
  ask: (pod: Pod) => Promise<Verdict>,
): Promise<Verdict[]> => {
  const { kind, name } = subject.workload
  const pods = await probes.pods(subject)
  if (!pods) return [inconclusive(`${kind} ${subject.namespace}/${name} is not there`)]
  if (pods.length === 0) {
    const wanted = await probes.lacksOwner?.(subject)
    return [inconclusive(`${kind} ${subject.namespace}/${name} has no pods to ask${wanted ? `: ${wanted}` : ''}`)]
  }
  return Promise.all(pods.map(ask))
}

/** The address in the body of a what-is-my-ip service: bare, or the first one in some JSON. */
export const addressIn = (body: string): string | null => {
  const words = body.split(/[\s"',{}[\]<>]+/)
  return words.find(it => isIP(it) !== 0) ?? null
}

/** The address that the workload's pods are seen with now, through their own environment; null: no answer. */
export const egressAddress = async (kube: Kube, subject: Subject): Promise<string | null> => {
  const moved = () => ({ ...labelOnly(), env: proxyEnv(subject.proxy, subject.inside) })
  const probes = createProbes(kube, { ...noLogs, moved })
  for (const pod of (await probes.pods(subject)) ?? []) {
    for (const url of subject.echo) {
      const answer = await probes.curl(pod, ['--fail', url])
      if ('unheard' in answer || answer.code !== 0) continue
      const address = addressIn(answer.stdout)
      if (address) return address
    }
  }
  return null
}
