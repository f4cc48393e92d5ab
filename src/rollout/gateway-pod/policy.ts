import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { word } from '../../engine/desired.ts'
import type { Detail, Kind, Report } from '../../engine/kind.ts'
import { Problem } from '../../engine/problem.ts'
import { type Kube, MANAGER } from '../kube/kube.ts'
import { type KubeObject, showId } from '../kube/object.ts'
import { applyOurs } from '../kube/ownership.ts'
import type { Clients } from '../manifest.ts'
import { MANAGED_BY } from '../tenancy.ts'
import { GATEWAY_NAMESPACE, gatewayPlaces } from './manifests.ts'
import { gatewayPods } from './pods.ts'

type Want = {
  kubeconfig: string
  namespace: string
  name: string
  tenant: string
  labels: { [key: string]: string }
  /** As the helper reads it. */
  text: string
}

type Live = {
  uid: string
  /** `12-0a1b2c3d`: counted here, and by what is in it; null: there is no policy in it, or more than one. */
  revision: string | null
  text: string
}

/**
 * The policy of one tenant as the only key of a ConfigMap, named by its revision. Pods that have it mounted take it
 * without a restart; the change is done when each of them decides by it.
 */
export const gatewayPolicyKind: Kind<Want, Live, Clients> = {
  name: 'gateway-policy',
  looksThroughParents: true,
  takes: { create: 1, update: 5 },
  async read(want, { kube }) {
    const found = await kube(want.kubeconfig).get<ConfigMap>(idOf(want))
    return found && !found.metadata.deletionTimestamp ? liveOf(found) : null
  },
  diff({ tenant, text }, live) {
    if (Buffer.byteLength(text) > MOST) throw tooLarge(tenant, text)
    const summary = `policy of ${tenant}`
    if (!live) return { action: 'create', summary, details: changes(tenant, '', text) }
    const { revision } = live
    if (live.text === text && revision?.endsWith(`-${hashOf(text)}`)) return null
    return { action: 'update', summary: `${summary}, after ${revision}`, details: changes(tenant, live.text, text) }
  },
  async apply(want, { kube }, _live, report) {
    const cluster = kube(want.kubeconfig)
    const before = await cluster.get<ConfigMap>(idOf(want))
    const was = before && liveOf(before)
    const hash = hashOf(want.text)
    const last = was?.revision ?? ''
    const revision = last.endsWith(`-${hash}`) ? last : `${(Number.parseInt(last, 10) || 0) + 1}-${hash}`
    return put(cluster, want, { revision, text: want.text }, before, report)
  },
  async undo(want, { kube }, before, now, report) {
    const cluster = kube(want.kubeconfig)
    const live = await cluster.get<ConfigMap>(idOf(want))
    const uid = (now ?? before)?.uid
    if (!live || (uid && live.metadata.uid !== uid)) return
    if (!before) await cluster.delete(idOf(want), { ...(live.metadata.uid && { uid: live.metadata.uid }) })
    else if (before.revision) await put(cluster, want, { revision: before.revision, text: before.text }, live, report)
  },
}

/** `gatewayPolicy('client-a', { kubeconfig, namespace, name, tenant, labels, text })` */
export const gatewayPolicy = word(gatewayPolicyKind)

type ConfigMap = KubeObject & { data?: Record<string, string> }

const idOf = ({ namespace, name }: Pick<Want, 'namespace' | 'name'>) => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap' },
  ...{ namespace, name },
})

const liveOf = ({ metadata: { uid = '' }, data = {} }: ConfigMap): Live => {
  const [first, ...others] = Object.entries(data)
  const revision = others.length === 0 ? /^(\d+-[0-9a-f]{8})\.policy$/.exec(first?.[0] ?? '')?.[1] : undefined
  return revision ? { uid, revision, text: first![1] } : { uid, revision: null, text: '' }
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8)

const put = async (
  kube: Kube,
  want: Want,
  { revision, text }: { revision: string; text: string },
  before: ConfigMap | null,
  report: Report,
): Promise<Live> => {
  const { namespace, name, labels } = want
  const { object } = await applyOurs(
    kube,
    {
      ...{ apiVersion: 'v1', kind: 'ConfigMap' },
      metadata: { name, namespace, labels: { [MANAGED_BY]: MANAGER, ...labels } },
      data: { [`${revision}.policy`]: text },
    },
    before,
  )
  await untilTaken(kube, want, revision, report)
  return liveOf(object as ConfigMap)
}

/** A kubelet looks at what is mounted every minute, and at once when its pod is annotated. */
const untilTaken = async (kube: Kube, { tenant }: Want, revision: string, report: Report): Promise<void> => {
  const told = new Set<string>()
  for (const end = performance.now() + TAKEN_MS; ; await delay(200, undefined, { signal: report.signal })) {
    const pods = (await gatewayPods(kube, tenant)).filter(it => it.ready)
    const late = []
    for (const { name, namespace } of pods) {
      const annotations = { 'kapsule-egress/policy': revision }
      const id = { apiVersion: 'v1', kind: 'Pod', namespace, name }
      if (!told.has(name)) await kube.patch(id, { merge: { metadata: { annotations } } })
      told.add(name)
      const said = await saidBy(kube, { namespace, name }, tenant)
      const refused = said.split('\n').find(it => it.startsWith(`refused ${revision} `))
      if (refused) throw notTaken(name, revision, refused)
      if (!said.startsWith(`loaded ${revision}\n`)) late.push(name)
    }
    if (late.length === 0) return
    report.waiting(`${late.join(', ')}: policy ${revision} is not in force yet`)
    if (performance.now() > end)
      throw notTaken(late[0]!, revision, `nothing was heard of it within ${TAKEN_MS / 1000} s`)
  }
}

/** What the helper says that it decides by; '' where it could not be asked. */
export const saidBy = async (kube: Kube, pod: { namespace: string; name: string }, tenant: string): Promise<string> => {
  const command = ['cat', `${gatewayPlaces.spool}/egress-${tenant}.loaded`]
  try {
    const at = { namespace: pod.namespace, pod: pod.name, container: 'squid', command }
    return (await kube.exec(at, { timeoutMs: 10_000 })).stdout
  } catch (thrown) {
    if (thrown instanceof Problem) return ''
    throw thrown
  }
}

const TAKEN_MS = 150_000

/** Of a ConfigMap, with room for its name and ours. */
const MOST = 1_000_000

/** Rules that come and go; the first hundred. */
const changes = (tenant: string, before: string, now: string): Detail[] => {
  const [was, will] = [before, now].map(text => new Set(text.split('\n').filter(it => /^(mode|allow|deny)\t/.test(it))))
  const gone = [...was!].filter(it => !will!.has(it)).map(it => `- ${it.replaceAll('\t', ' ')}`)
  const come = [...will!].filter(it => !was!.has(it)).map(it => `+ ${it.replaceAll('\t', ' ')}`)
  const rows = [...gone, ...come]
  const rest = rows.length > 100 ? [`and ${rows.length - 100} more`] : []
  const diff = [...rows.slice(0, 100), ...rest].join('\n') || 'only the order of rules, or its name'
  return [{ name: `rules of ${tenant}`, action: before === '' ? 'create' : 'update', diff }]
}

const tooLarge = (tenant: string, text: string) =>
  new Problem(`the policy of ${tenant} is too large for a gateway pod`, {
    why: `it has ${Buffer.byteLength(text)} bytes, and a ConfigMap takes a million`,
    next: 'allow fewer names, or give the tenant a proxy-vm, which has no such limit',
    exit: 2,
  })

const notTaken = (pod: string, revision: string, why: string) =>
  new Problem(`${showId({ kind: 'Pod', name: pod })} does not decide by policy ${revision}`, {
    why,
    next: `kubectl -n ${GATEWAY_NAMESPACE} logs ${pod}; then run again`,
  })
