import { setTimeout as delay } from 'node:timers/promises'
import type { Json } from '../../engine/json.ts'
import { Problem } from '../../engine/problem.ts'
import { isBlocked } from '../gates/direct-blocked.ts'
import { inconclusive, pass, type Verdict, worst } from '../gates/measure.ts'
import { refuseForbidden } from '../guard.ts'
import { type Kube, MANAGER } from '../kube/kube.ts'
import type { KubeObject } from '../kube/object.ts'
import type { Probes } from '../probe.ts'
import { PROBE_LABEL, probePodFor, remove, untilRunning } from '../probe-pod.ts'
import { MANAGED_BY } from '../tenancy.ts'
import type { Pod } from '../workload.ts'
import type { Finding } from './finding.ts'

/** On the pod behind a wall, and what its wall knows it by. */
const WALL = 'kapsule-egress/wall'

export type Proving = {
  run: string
  image: string
  /** URLs somewhere outside. */
  echo: string[]
  signal?: AbortSignal
  /** Told before the pod is made. */
  onMake?: (made: { pod: string; for: string }) => void
  /** How long a network may take to be as it is told. */
  withinMs?: number
}

type Asks = Pick<Probes, 'curl'>

/**
 * Does the network hold pods to a policy? A pod beside `like`, of ours alone, gets out, and then a policy forbids it
 * everything but names. Fail: it still gets out. Inconclusive: it never did. Both are taken away.
 */
export const proveEnforcement = async (
  kube: Kube,
  like: Pod,
  probes: Asks,
  { run, image, echo, signal, onMake = () => undefined, withinMs = 30_000 }: Proving,
): Promise<Verdict> => {
  const object = behindWall(like, { run, image })
  const { name } = object.metadata
  onMake({ pod: name, for: like.metadata.name })
  try {
    refuseForbidden(object, { proxies: [] })
    const made = await kube.create(object)
    const pod = await untilRunning(kube, object, performance.now() + 60_000, signal)
    if ('unheard' in pod) return inconclusive(pod.unheard)
    const asked = () => askAll(pod, probes, echo)
    const open = await until(asked, it => it.verdict === 'fail', withinMs / 3, signal)
    if (open.verdict !== 'fail')
      return inconclusive(open.verdict === 'pass' ? `${name} gets nowhere, also without a policy` : open.reason)
    await kube.create(wallFor(made))
    // Twice, as what is told to a node comes in pieces.
    const shut = await until(asked, it => it.verdict === 'pass', withinMs, signal, 2)
    return shut.verdict === 'fail' ? { ...shut, reason: `${shut.reason}, ${withinMs / 1000} s after a policy forbade it` } : shut // biome-ignore format: one
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown
    return inconclusive(`${thrown.message}: ${thrown.why}`)
  } finally {
    // The policy goes with its pod.
    await remove(kube, object.metadata).catch(() => undefined)
  }
}

/** What the verdict stands for in the table; a pass is not told. */
export const enforcementFinding = (namespace: string, verdict: Verdict): Finding[] => {
  if (verdict.verdict === 'pass') return []
  const failed = verdict.verdict === 'fail'
  return [
    {
      level: failed ? 'stop' : 'note',
      workload: namespace,
      what: failed ? 'the network does not enforce NetworkPolicies' : 'whether NetworkPolicies hold is not known',
      why: verdict.reason,
      next: failed
        ? 'use a CNI that does (Cilium, Calico): a label alone moves nobody, and forbids nothing'
        : 'nothing: the gate `direct access is blocked` asks again with the canary',
    },
  ]
}

const behindWall = (like: Pod, made: { run: string; image: string }): KubeObject => {
  const { metadata, ...rest } = probePodFor(like, made)
  const labels = { [MANAGED_BY]: MANAGER, [PROBE_LABEL]: made.run, [WALL]: made.run }
  return { ...rest, metadata: { ...metadata, name: `egress-probe-wall-${made.run.slice(-4)}`, labels } }
}

const wallFor = ({ apiVersion, kind, metadata: { name, namespace, uid, labels = {} } }: KubeObject): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: {
    name,
    ...(namespace && { namespace }),
    labels: { [MANAGED_BY]: MANAGER },
    ownerReferences: [{ apiVersion, kind, name, uid: uid ?? '' }],
  },
  spec: {
    podSelector: { matchLabels: { [WALL]: labels[WALL]! } },
    policyTypes: ['Egress'],
    egress: [{ ports: ['UDP', 'TCP'].map((protocol): Json => ({ protocol, port: 53 })) }],
  },
})

/** Fail: one of them was reached. Pass: none was. */
const askAll = async (pod: Pod, probes: Asks, echo: string[]): Promise<Verdict> => {
  const args = ['--noproxy', '*', '--connect-timeout', '1', '-o', '/dev/null', '-w', '%{time_connect}']
  const verdicts = await Promise.all(
    echo.map(async url => isBlocked(`${pod.metadata.name} to ${url}`, await probes.curl(pod, [...args, url]))),
  )
  return verdicts.length > 0 ? worst(verdicts) : pass
}

/** Asks until it is so, `times` in a row, or the time is over; answers what was said last. */
const until = async (
  ask: () => Promise<Verdict>,
  isSo: (verdict: Verdict) => boolean,
  ms: number,
  signal: AbortSignal | undefined,
  times = 1,
): Promise<Verdict> => {
  const end = performance.now() + ms
  for (let inRow = 0; ; ) {
    const verdict = await ask()
    inRow = isSo(verdict) ? inRow + 1 : 0
    if (inRow === times || performance.now() > end) return verdict
    await delay(200, undefined, signal ? { signal } : {})
  }
}
