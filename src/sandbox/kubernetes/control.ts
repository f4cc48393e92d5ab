import type { Pods } from '../ports.ts'
import { decide } from './admission/admission.ts'
import { checkEscalation } from './admission/escalation.ts'
import { checkPodSecurity } from './admission/pod-security.ts'
import { serviceAccount } from './admission/rbac.ts'
import type { Admit, Police } from './api/api.ts'
import { createApi } from './api/api.ts'
import { createRecorder } from './api/events.ts'
import { createCollector } from './controllers/collect.ts'
import { reconcileDeployment } from './controllers/deployments.ts'
import { reconcileEndpoints, serviceLabel } from './controllers/endpoints.ts'
import { labelJob } from './controllers/jobs.ts'
import { createNodeIndex } from './controllers/node-index.ts'
import { checkQuotas } from './controllers/quotas.ts'
import { reconcileReplicaSet } from './controllers/replicasets.ts'
import { schedule, tolerates } from './controllers/scheduler.ts'
import { createWorkloads } from './controllers/workloads.ts'
import { isIn, nextFree, range, toIp } from './nodes/addresses.ts'
import type { Pace } from './nodes/kubelet.ts'
import { createKubelet } from './nodes/kubelet.ts'
import { createNetwork } from './nodes/network.ts'
import { layPaper, paperOf } from './nodes/paper.ts'
import type { Obj } from './objects/object.ts'
import { controllerOf, isActive, keyOf, same } from './objects/object.ts'
import { createQueue } from './objects/queue.ts'
import { kind } from './objects/resources.ts'
import { picks } from './objects/selectors.ts'
import { invalid } from './objects/status.ts'
import type { StoreEvent, StoreState } from './objects/store.ts'
import { createStore } from './objects/store.ts'

export type ControlParts = {
  clusterId: string
  version: string
  podCidr: string
  serviceCidr: string
  dnsIp: string
  pods: Pods
  saved?: StoreState | undefined
  pace: Pace
  /** What a pod of this service account finds of it on its disk. */
  credentials(account: Obj): Record<string, string>
  onChange(): void
}
/** The control plane of one cluster without its HTTP: objects, and the controllers that act on them once started. */
export const createControl = ({
  clusterId,
  version,
  podCidr,
  serviceCidr,
  dnsIp,
  pods,
  saved,
  pace,
  credentials,
  onChange,
}: ControlParts) => {
  const apiIp = toIp(range(serviceCidr).first + 1)
  const store = createStore({ saved })
  const admit: Admit = (of, obj, before) => {
    if (of.kind === 'Node' && !before) layPaper(store, obj, { podCidr, version })
    if (of.kind === 'Job' && !before) labelJob(obj)
    if (of.kind === 'Service') giveAddress(store.list(of), obj, before, serviceCidr, new Set([apiIp, dnsIp]))
  }
  const police: Police = (of, object, before, options, sub) => {
    const operation = !before ? 'CREATE' : object ? 'UPDATE' : 'DELETE'
    // The scheduler places pods through a subresource of its own.
    const part = options.internal && of.kind === 'Pod' && before ? (sub ?? 'binding') : sub
    const home = (object ?? before)!.metadata.namespace
    const namespace = home === undefined ? undefined : store.get(kind('Namespace'), undefined, home)
    const caller = options.caller ?? serviceAccount('kube-system', options.manager)
    const asking = {
      caller,
      dryRun: !!options.dryRun,
      fieldManager: options.fieldManager,
      warn: options.warn ?? (() => {}),
    }
    const review = { of, operation, sub: part, object, before, namespace } as const
    decide(store, review, asking)
    checkPodSecurity(review, asking.warn)
    if (object && options.caller) checkEscalation(store, { of, object, before, caller })
    if (object && !before) checkQuotas(store, of, object)
  }
  const api = createApi(store, { admit, police })
  const index = createNodeIndex(store)
  const collector = createCollector(store, api)
  const network = createNetwork(store, pods, { clusterId, dnsIp })
  const record = createRecorder(store, api, 'kube-controller-manager')
  const placed = createRecorder(store, api, 'default-scheduler')
  const kubelet = createKubelet({
    store,
    api,
    pods,
    pace,
    record: createRecorder(store, api, 'kubelet'),
    wiring: { clusterId, dnsIp, apiIp, credentials },
    secure: network.policies,
    index,
  })
  const workloads = createWorkloads({ store, api, record, backoffMs: pace.backoff })
  const queues = {
    deployments: createQueue('deployment', key => reconcileDeployment(store, api, record, key)),
    sets: createQueue('replicaset', key => reconcileReplicaSet(store, api, record, key)),
    scheduling: createQueue('scheduling', key => schedule(store, api, placed, index, key)),
    endpoints: createQueue('endpoints', key => reconcileEndpoints(store, api, key)),
    evictions: createQueue('taints', name => evict(name)),
    accounts: createQueue('namespace', name => account(name)),
    garbage: createQueue('garbage', () => {
      collector.settle()
      return undefined
    }),
    network: createQueue('network', async key => {
      await network[key as keyof typeof network]()
      return undefined
    }),
  }

  const evict = (name: string): undefined => {
    const node = store.get(kind('Node'), undefined, name)
    const taints = (node?.spec?.taints ?? []).filter((it: { effect: string }) => it.effect === 'NoExecute')
    for (const pod of store.list(kind('Pod'))) {
      if (pod.spec.nodeName !== name) continue
      if (!node) api.remove(kind('Pod'), pod.metadata.namespace, pod.metadata.name, { gracePeriodSeconds: 0 })
      else if (isActive(pod) && !taints.every((it: object) => tolerates(pod.spec.tolerations, it))) {
        api.remove(kind('Pod'), pod.metadata.namespace, pod.metadata.name)
      }
    }
  }

  const account = (name: string): undefined => {
    const home = store.get(kind('Namespace'), undefined, name)
    const of = kind('ServiceAccount')
    if (!home || home.metadata.deletionTimestamp || store.get(of, name, 'default')) return
    const body = { metadata: { name: 'default' } } as unknown as Obj
    api.create(of, name, body, { manager: 'kube-controller-manager', internal: true })
  }

  const wake = ({ of, type, object, before }: Pick<StoreEvent, 'of' | 'type' | 'object' | 'before'>) => {
    const key = keyOf(object)
    const { namespace } = object.metadata
    workloads.wake({ of, type, object, before })
    const owner = controllerOf(object) ?? (before && controllerOf(before))
    if (of.kind === 'Deployment') queues.deployments.add(key)
    if (of.kind === 'ReplicaSet') {
      queues.sets.add(key)
      if (owner?.kind === 'Deployment') queues.deployments.add(`${namespace}/${owner.name}`)
    }
    if (of.kind === 'Pod') {
      const isRoom = object.spec.nodeName && (type === 'DELETED' || (!isActive(object) && before && isActive(before)))
      if (isRoom) for (const it of index.pending) queues.scheduling.add(it)
      kubelet.add(key)
      queues.scheduling.add(key)
      if (owner?.kind === 'ReplicaSet') wakeSet(namespace!, owner.name, type)
      else for (const set of store.list(kind('ReplicaSet'), namespace)) if (!owner) queues.sets.add(keyOf(set))
      for (const service of store.list(kind('Service'), namespace)) {
        const picked = (it: Obj | undefined) => it && picks(service.spec.selector, it.metadata.labels)
        if (picked(object) || picked(before)) queues.endpoints.add(keyOf(service))
      }
      const isSeen = type === 'DELETED' || !before ? !!object.status?.podIP : isSeenOtherwise(object, before)
      if (isSeen && paperOf(store, object.spec.nodeName) === undefined) queues.network.add('policies')
    }
    if (of.kind === 'NetworkPolicy' || of.kind === 'Namespace') queues.network.add('policies')
    if (of.kind === 'Service' || of.kind === 'Endpoints') queues.endpoints.add(key)
    if (of.kind === 'EndpointSlice' && type === 'DELETED')
      queues.endpoints.add(`${namespace}/${object.metadata.labels?.[serviceLabel] ?? ''}`)
    if (of.kind === 'Service' || of.kind === 'EndpointSlice') {
      queues.network.add('services')
      queues.network.add('names')
    }
    if (of.kind === 'Namespace') queues.accounts.add(object.metadata.name)
    if (of.kind === 'ServiceAccount' && type === 'DELETED') queues.accounts.add(namespace!)
    if (of.kind === 'Node') {
      queues.evictions.add(object.metadata.name)
      for (const it of index.pending) queues.scheduling.add(it)
    }
  }

  const wakeSet = (namespace: string, name: string, type: string) => {
    queues.sets.add(`${namespace}/${name}`)
    // Recreate waits for the last pod, and a set that has none says nothing more.
    const set = type === 'DELETED' ? store.get(kind('ReplicaSet'), namespace, name) : undefined
    const owner = set && controllerOf(set)
    if (owner) queues.deployments.add(`${namespace}/${owner.name}`)
  }

  let isStarted = false
  const stop = store.listen(event => {
    collector.happened(event)
    if (isStarted) {
      if (!collector.isIdle || event.type === 'DELETED') queues.garbage.add('all')
      wake(event)
    }
    onChange()
  })

  return {
    store,
    api,
    kubelet,
    apiIp,
    /** Puts the network in force, then lets the controllers work on everything there is. */
    async start() {
      await Promise.all([network.policies(), network.services(), network.names()])
      isStarted = true
      for (const object of store.all()) wake({ of: kind(object.kind), type: 'ADDED', object, before: undefined })
      queues.garbage.add('all')
    },
    async close() {
      stop()
      await Promise.all([kubelet.close(), workloads.close(), ...Object.values(queues).map(it => it.close())])
    },
  }
}

/** What other pods' policies may depend on. */
const isSeenOtherwise = (pod: Obj, before: Obj) =>
  pod.status?.podIP !== before.status?.podIP ||
  !same(pod.metadata.labels, before.metadata.labels) ||
  isActive(pod) !== isActive(before)

/** A Service has an address for life: the one asked for, or the next free one. */
const giveAddress = (all: Obj[], obj: Obj, before: Obj | undefined, cidr: string, reserved: Set<string>) => {
  const { spec } = obj
  if (spec.type === 'ExternalName') return
  spec.clusterIP ??= before?.spec.clusterIP
  if (before || spec.clusterIP === 'None') {
    if (spec.clusterIP) spec.clusterIPs = [spec.clusterIP]
    return
  }
  const taken = new Set(all.map(it => it.spec.clusterIP as string))
  if (spec.clusterIP && (taken.has(spec.clusterIP) || !isIn(spec.clusterIP, cidr))) {
    const message = `Invalid value: "${spec.clusterIP}": the address is taken or not in ${cidr}`
    throw invalid(kind('Service'), obj.metadata.name, [
      { field: 'spec.clusterIP', reason: 'FieldValueInvalid', message },
    ])
  }
  spec.clusterIP ??= nextFree(cidr, new Set([...taken, ...reserved]), undefined)
  spec.clusterIPs = [spec.clusterIP]
}
