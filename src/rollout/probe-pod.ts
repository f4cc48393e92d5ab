import { setTimeout as delay } from 'node:timers/promises'
import type { Json } from '../engine/json.ts'
import { Problem } from '../engine/problem.ts'
import { refuseForbidden } from './guard.ts'
import { type Kube, MANAGER } from './kube/kube.ts'
import type { KubeObject } from './kube/object.ts'
import { KubeProblem } from './kube/problem.ts'
import type { ProxyFiles } from './manifests.ts'
import { PROXY_FILES } from './no-proxy.ts'
import { asNobody, confined } from './own-pods.ts'
import { MANAGED_BY } from './tenancy.ts'
import type { EnvVar, Pod } from './workload.ts'

/** On every probe pod: the run that made it. */
export const PROBE_LABEL = 'kapsule-egress/probe'

export const PROBE_CONTAINER = 'probe'

/** What a pod gets when it moves. Absent variables and files: those that it has. */
export type AsMoved = { labels: Record<string, string>; env?: EnvVar[]; files?: ProxyFiles }

type Made = { run: string; image: string; moved?: AsMoved }

/** What of a pod decides how its packets go and its names resolve. */
type Copied = { [field: string]: Json } & { containers: { env?: { name: string }[]; volumeMounts?: Mount[] }[] }
type Mount = { name: string; mountPath: string }

/** Labels by which controllers tell their pods: a pod that has them would be adopted, and counted. */
const CONTROLLERS =
  /^(pod-template-hash|controller-revision-hash|pod-template-generation|(batch\.kubernetes\.io\/)?(controller-uid|job-name)|(statefulset|apps)\.kubernetes\.io\/.*)$/

/**
 * A pod that stands in for one: same labels, node, tolerations, service account and names, its proxy variables, or those
 * that it will have when it has `moved`, and nothing else of its environment. It is never ready, so no Service sends it
 * traffic; it goes with the pod that it stands in for, and ends by itself after ten minutes.
 */
export const probePodFor = (pod: Pod, { run, image, moved }: Made): KubeObject => {
  const spec = pod.spec as unknown as Copied
  const { name, namespace, uid = '', labels = {} } = pod.metadata
  const [first] = spec.containers
  const mount = moved?.files?.mount ?? first?.volumeMounts?.find(it => it.mountPath === PROXY_FILES)
  const volumes = moved?.files ? [moved.files.volume] : namedAs(mount as Mount | undefined, spec.volumes)
  const kept = [
    'nodeName',
    'tolerations',
    'serviceAccountName',
    'dnsPolicy',
    'dnsConfig',
    'hostAliases',
    'imagePullSecrets',
  ]
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `egress-probe-${uid.slice(0, 8)}-${run.slice(-4)}${moved ? '-moved' : ''}`,
      ...(namespace && { namespace }),
      labels: {
        ...Object.fromEntries(Object.entries(labels).filter(([key]) => !CONTROLLERS.test(key))),
        [MANAGED_BY]: MANAGER,
        [PROBE_LABEL]: run,
        ...moved?.labels,
      },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid, ...(isDaemon(pod) && { controller: true }) }],
    },
    spec: {
      ...Object.fromEntries(kept.flatMap(it => (spec[it] === undefined ? [] : [[it, spec[it]]]))),
      automountServiceAccountToken: false,
      restartPolicy: 'Never',
      activeDeadlineSeconds: 600,
      terminationGracePeriodSeconds: 0,
      securityContext: asNobody,
      ...(mount && { volumes }),
      containers: [
        {
          name: PROBE_CONTAINER,
          image,
          command: ['sleep', '600'],
          env: (moved?.env ?? (first?.env ?? []).filter(it => /_proxy$|^CURL_HOME$/i.test(it.name))) as Json[],
          ...(mount && { volumeMounts: [mount] }),
          resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { cpu: '100m', memory: '64Mi' } },
          // Never asked, so never ready.
          readinessProbe: { exec: { command: ['false'] }, initialDelaySeconds: 86400 },
          securityContext: confined,
        },
      ],
    } as Json,
  }
}

const namedAs = (mount: Mount | undefined, volumes: Json = []): Json[] =>
  (volumes as Mount[]).filter(it => it.name === mount?.name)

/**
 * A DaemonSet knows its pods by labels that a stand-in needs, and would adopt it, unless that has a controller. For
 * others it has none: a disruption budget looks for one's scale, and allows nothing while it finds none.
 */
const isDaemon = ({ metadata }: Pod): boolean =>
  metadata.ownerReferences?.some(it => it.controller && it.kind === 'DaemonSet') ?? false

/** Stand-ins for pods, made when asked for: one each, and one more as it will be when it has moved. */
export type Prober = {
  for(pod: Pod, moved?: AsMoved): Promise<Pod | { unheard: string }>
  /** Was one asked for? Then nobody need try the pod itself again. */
  has(pod: Pod): boolean
  /** Takes away what was made. What could not be is found by its label in the next run. */
  close(): Promise<void>
}

/** `onMake` is told before a pod is made. */
type Making = { withinMs?: number; signal?: AbortSignal; onMake?: (made: { pod: string; for: string }) => void }

export const createProber = (
  kube: Kube,
  { withinMs = 60_000, signal, onMake = () => undefined, ...made }: Made & Making,
): Prober => {
  const pods = new Map<string, Promise<Pod | { unheard: string }>>()
  const objects: KubeObject[] = []
  const make = async (pod: Pod, moved: AsMoved | undefined) => {
    const object = probePodFor(pod, { ...made, ...(moved && { moved }) })
    objects.push(object)
    onMake({ pod: object.metadata.name, for: pod.metadata.name })
    try {
      // Its variables are those of the pod it stands in for, whatever they say.
      refuseForbidden(object, { proxies: [] })
      await create(kube, object)
      return await untilRunning(kube, object, performance.now() + withinMs, signal)
    } catch (thrown) {
      if (!(thrown instanceof Problem)) throw thrown
      return { unheard: `probe pod ${object.metadata.name}: ${thrown.message}: ${thrown.why}` }
    }
  }
  return {
    for(pod, moved) {
      const key = `${pod.metadata.uid ?? pod.metadata.name}${moved ? ' moved' : ''}`
      const stand = pods.get(key) ?? make(pod, moved)
      pods.set(key, stand)
      return stand
    },
    has: pod => pods.has(pod.metadata.uid ?? pod.metadata.name),
    async close() {
      await Promise.allSettled(pods.values())
      await Promise.allSettled(objects.map(it => remove(kube, it.metadata)))
    },
  }
}

const TRIES = 3

/** Of a create that failed nobody knows whether it was made: where it is there with our label, it was. */
const create = async (kube: Kube, object: KubeObject): Promise<void> => {
  const { name, namespace, labels } = object.metadata
  for (let tries = 1; ; tries++) {
    try {
      await kube.create(object)
      return
    } catch (thrown) {
      if (!(thrown instanceof KubeProblem)) throw thrown
      const lost = thrown.status === 0 || thrown.status >= 500
      if (!lost && thrown.status !== 409) throw thrown
      const there = await kube.get<Pod>({ apiVersion: 'v1', kind: 'Pod', namespace, name })
      if (there && there.metadata.labels?.[PROBE_LABEL] === labels?.[PROBE_LABEL]) return
      if (!lost || tries === TRIES) throw thrown
    }
  }
}

/** The pod once its container runs, or why it never did. */
export const untilRunning = async (kube: Kube, object: KubeObject, until: number, signal: AbortSignal | undefined) => {
  const { name, namespace } = object.metadata
  for (let pause = 50; ; pause = Math.min(pause * 1.5, 1000)) {
    const pod = await kube.get<Pod>({ apiVersion: 'v1', kind: 'Pod', namespace, name })
    const state = pod?.status?.containerStatuses?.[0]?.state
    if (pod && state?.running) return pod
    if (!pod || pod.status?.phase === 'Failed' || performance.now() > until) {
      const { reason, message } = state?.waiting ?? {}
      const why = reason ?? pod?.status?.phase ?? 'it went away'
      return { unheard: `probe pod ${name} does not run: ${why}${message ? `, ${message}` : ''}` }
    }
    await delay(pause, undefined, signal ? { signal } : {})
  }
}

/** Removes probe pods that other runs left in a namespace; answers their names. */
export const sweepProbes = async (kube: Kube, namespace: string, run: string): Promise<string[]> => {
  const labelSelector = `${PROBE_LABEL},${PROBE_LABEL}!=${run}`
  const { items } = await kube.list<Pod>({ apiVersion: 'v1', kind: 'Pod', namespace, labelSelector })
  await Promise.all(items.map(it => remove(kube, it.metadata)))
  return items.map(it => it.metadata.name)
}

export const remove = (kube: Kube, { namespace, name, uid }: KubeObject['metadata']) =>
  kube.delete({ apiVersion: 'v1', kind: 'Pod', namespace, name }, { ...(uid && { uid }), graceSeconds: 0 })
