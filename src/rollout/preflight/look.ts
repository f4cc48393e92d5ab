import { walkGraph } from '../../engine/walk.ts'
import { type EgressWant, objectOf } from '../egress-want.ts'
import { appliedBy } from '../kube/fields.ts'
import { type Kube, MANAGER } from '../kube/kube.ts'
import { LEASES } from '../kube/lease.ts'
import type { KubeObject } from '../kube/object.ts'
import { KubeProblem } from '../kube/problem.ts'
import { isCanary } from '../phases.ts'
import { createProbes, noLogs } from '../probe.ts'
import { probePodFor } from '../probe-pod.ts'
import { isLeaving, isReady, type Pod, type Workload, type WorkloadRef } from '../workload.ts'
import { kindOf, templateOf } from '../workloads/read.ts'
import { alteredMove, alteredPod, nothingAltered } from './altered.ts'
import { missingRights } from './ask-rights.ts'
import { disruption } from './downtime.ts'
import { nameOf } from './finding.ts'
import { readForeign } from './foreign.ts'
import { podOf, tried } from './rehearse.ts'
import { type Makes, neededRights, sharedRights } from './rights.ts'
import { type Lists, shareLists } from './shared-lists.ts'
import {
  type Budget,
  type Claim,
  type ClusterNode,
  type Labels,
  type Moving,
  mayAskPods,
  mayMakePods,
  type Policy,
  type Quota,
  type Service,
  type Sight,
  type Wishes,
} from './sight.ts'
import { claimsOf } from './volumes.ts'

/** What would be moved in one namespace. */
export type Plan = {
  namespace: string
  moves: { want: EgressWant; phase: string }[]
  inside: string[]
  makes: Makes
  wishes: Wishes
}

/** Calls for single workloads that are under way at once. */
const WIDTH = 8

/**
 * Reads what a rollout will meet: each list once, then the cluster's word to each change. Changes nothing. `image`: of
 * pods that stand in.
 */
export const look = async (kube: Kube, plans: readonly Plan[], image: string): Promise<Sight[]> => {
  const served = await servedBy(kube)
  const [shared, ...sights] = await Promise.all([
    missingRights(kube, LEASES, sharedRights),
    ...plans.map(it => lookAt(kube, it, served)),
  ])
  sights[0]?.missing.unshift(...shared)
  if (sights.some(it => it.moving.some(one => disruption(one).extra > 0))) await lookAtNodes(kube, sights)
  await Promise.all(sights.map(it => lookAtClaims(kube, it)))
  const moving = sights.flatMap(sight => sight.moving.map(one => ({ one, sight })))
  const byName = new Map(moving.map(it => [`${it.one.phase} ${it.one.name}`, it]))
  const visit = async (name: string) => {
    const { one, sight } = byName.get(name)!
    await rehearse(kube, one, sight)
    await lookAtTools(kube, one, sight, image)
    return true
  }
  await walkGraph([...byName.keys()], () => [], visit, { width: WIDTH })
  return sights
}

/** Tries the change and one of its new pods. */
const rehearse = async (kube: Kube, one: Moving, sight: Sight): Promise<void> => {
  one.refused = await tried(async () => {
    one.altered = alteredMove(one.target, await kube.apply(one.target, { dryRun: true }))
  })
  const pod = mayMakePods(sight) ? podOf(one) : null
  if (!pod || one.refused) return
  one.podRefused = await tried(async () => {
    one.podAltered = alteredPod(one, await kube.create(pod, { dryRun: true }))
  })
}

/**
 * Asks one pod for its curl, and where it has none, the cluster for a pod that stands in; for a canary's, as it will be
 * when it has moved: by such a one the policy is tried.
 */
const lookAtTools = async (kube: Kube, one: Moving, sight: Sight, image: string): Promise<void> => {
  const pod = [...one.current, ...one.old].find(it => isReady(it) && !isLeaving(it))
  if (!pod || !mayAskPods(sight)) return
  const answer = await createProbes(kube, noLogs).curl(pod, ['-V'])
  one.lacksCurl = 'unheard' in answer && answer.lacks === true
  const isTried = isCanary({ name: one.phase }) && !one.begun && !one.podRefused
  if (!(one.lacksCurl || isTried) || !mayMakePods(sight)) return
  const { env, files, label } = one.want
  const moved = { labels: { [label.key]: label.value }, env, ...(files && { files }) }
  const stand = probePodFor(pod, { run: 'preflight', image, ...(isTried && { moved }) })
  one.standInRefused = await tried(() => kube.create(stand, { dryRun: true }))
}

/** Where pods are, and where more could be: of the whole cluster, so it is read only where a move adds a pod. */
const lookAtNodes = async (kube: Kube, sights: Sight[]): Promise<void> => {
  const lists = shareLists(kube)
  const [nodes, pods] = await Promise.all([
    lists.list<ClusterNode>({ apiVersion: 'v1', kind: 'Node' }),
    lists.list<Pod>({ apiVersion: 'v1', kind: 'Pod' }),
  ])
  const unread = lists.unread()
  sights[0]!.unread.push(...unread.map(it => `${it} (of the cluster)`))
  for (const it of unread.length > 0 ? [] : sights) {
    it.nodes = nodes.items
    it.everyPod = pods.items
  }
}

const lookAtClaims = async (kube: Kube, sight: Sight): Promise<void> => {
  if (!sight.moving.some(it => disruption(it).extra > 0 && claimsOf(it.template.spec).length > 0)) return
  const lists = shareLists(kube)
  const { namespace } = sight
  sight.claims = (await lists.list<Claim>({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace })).items
  sight.unread.push(...lists.unread())
}

const lookAt = async (
  kube: Kube,
  { namespace, moves, inside, makes, wishes }: Plan,
  served: readonly string[],
): Promise<Sight> => {
  const lists = shareLists(kube)
  const all = async <T>(apiVersion: string, kind: string) =>
    (await lists.list<T>({ apiVersion, kind, namespace })).items
  const kinds = moves.map(it => it.want.kind)
  const selecting = ['Deployment', 'StatefulSet', 'DaemonSet'] as const
  const [missing, foreign, pods, services, policies, budgets, quotas, ...workloads] = await Promise.all([
    missingRights(kube, namespace, neededRights(kinds, makes)),
    readForeign(lists, served, namespace),
    all<Sight['pods'][number]>('v1', 'Pod'),
    all<Service>('v1', 'Service'),
    all<Policy>('networking.k8s.io/v1', 'NetworkPolicy'),
    all<Budget>('policy/v1', 'PodDisruptionBudget'),
    all<Quota>('v1', 'ResourceQuota'),
    ...[...new Set([...selecting, ...kinds])].map(kind => all<Workload>(kindOf({ kind }).apiVersion, kind)),
  ])
  const sight: Sight = {
    ...{ namespace, moving: [], absent: [], pods, services, policies, budgets, quotas, missing, inside, wishes },
    ...{ nodes: null, everyPod: [], claims: [], foreign: foreign.policies, scalers: foreign.scalers },
    namespaceLabels: foreign.policies.length > 0 ? await labelsOf(kube, namespace) : null,
    workloads: workloads.flat(),
    unread: [],
  }
  for (const { want, phase } of moves) {
    const found = sight.workloads.find(it => it.kind === want.kind && it.metadata.name === want.name)
    const ref: WorkloadRef = { kind: want.kind, name: want.name }
    if (found) sight.moving.push(await movingOf(lists, found, { ref, want, phase }))
    else sight.absent.push(ref)
  }
  sight.unread = lists.unread()
  return sight
}

/** Where nobody may ask, none. */
const servedBy = async (kube: Kube): Promise<string[]> => {
  try {
    return await kube.served()
  } catch (thrown) {
    if (thrown instanceof KubeProblem && thrown.status === 403) return []
    throw thrown
  }
}

/** Null: this user may not read it. */
const labelsOf = async (kube: Kube, name: string): Promise<Labels | null> => {
  try {
    const namespace = await kube.get({ apiVersion: 'v1', kind: 'Namespace', name })
    return namespace && { 'kubernetes.io/metadata.name': name, ...namespace.metadata.labels }
  } catch (thrown) {
    if (thrown instanceof KubeProblem && thrown.status === 403) return null
    throw thrown
  }
}

const movingOf = async (
  lists: Lists,
  workload: Workload,
  { ref, want, phase }: Pick<Moving, 'ref' | 'want' | 'phase'>,
): Promise<Moving> => {
  const of = kindOf(ref)
  const template = templateOf(workload, of)
  const rollout = { workload, template, of, ...(await of.pods(lists, workload)) }
  const before = template.metadata?.labels ?? {}
  return {
    ...{ ...rollout, ref, want, phase },
    name: nameOf({ namespace: want.namespace, workload: ref }),
    begun: appliedBy(workload as unknown as KubeObject, MANAGER) !== null,
    labels: { before, after: { ...before, [want.label.key]: want.label.value } },
    target: objectOf(want, rollout),
    refused: null,
    podRefused: null,
    ...{ altered: nothingAltered, podAltered: nothingAltered },
    ...{ lacksCurl: false, standInRefused: null },
  }
}
