import type { Loose, Obj } from './object.ts'
import { isMap } from './object.ts'
import { isOpenMap } from './schema.ts'

/** The object as the API stores it: members a client left out get their defaults, empty ones go. What was given stays as it is. */
export const complete = (obj: Obj): Obj => {
  const it = tidy(obj, []) as Obj
  it.metadata ??= {} as Obj['metadata']
  byKind[it.kind]?.(it)
  return it
}

// Where `{}` differs from nothing it stays; empty lists and maps of names are not stored by the real one either.
const tidy = (value: Loose, path: string[]): Loose => {
  if (Array.isArray(value)) return value.map(it => tidy(it, path))
  if (!isMap(value)) return value
  const members = Object.entries(value)
    .filter(([, it]) => it !== null && it !== undefined)
    .map(([key, it]) => [key, tidy(it, [...path, key])] as const)
    .filter(([key, it]) => !(Array.isArray(it) && it.length === 0) && !(isEmpty(it) && isOpenMap([key])))
  return Object.fromEntries(members)
}

const isEmpty = (it: Loose) => isMap(it) && Object.keys(it).length === 0

const byKind: Record<string, (obj: Obj) => void> = {
  Namespace(it) {
    it.metadata.labels = { ...it.metadata.labels, 'kubernetes.io/metadata.name': it.metadata.name }
    it.spec = { finalizers: ['kubernetes'], ...it.spec }
    it.status = { phase: 'Active', ...it.status }
  },
  Pod(it) {
    it.spec = { enableServiceLinks: true, serviceAccountName: 'default', ...it.spec }
    podSpec(it.spec)
    it.status = { phase: 'Pending', qosClass: 'BestEffort', ...it.status }
  },
  Deployment(it) {
    it.spec ??= {}
    fill(it.spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 })
    it.spec.strategy ??= {}
    it.spec.strategy.type ??= 'RollingUpdate'
    if (it.spec.strategy.type === 'RollingUpdate') {
      it.spec.strategy.rollingUpdate ??= {}
      fill(it.spec.strategy.rollingUpdate, { maxUnavailable: '25%', maxSurge: '25%' })
    }
    template(it.spec)
  },
  ReplicaSet(it) {
    it.spec ??= {}
    fill(it.spec, { replicas: 1 })
    template(it.spec)
  },
  StatefulSet(it) {
    it.spec ??= {}
    fill(it.spec, { replicas: 1, revisionHistoryLimit: 10, podManagementPolicy: 'OrderedReady' })
    it.spec.updateStrategy ??= { type: 'RollingUpdate', rollingUpdate: { partition: 0 } }
    template(it.spec)
  },
  DaemonSet(it) {
    it.spec ??= {}
    fill(it.spec, { revisionHistoryLimit: 10 })
    it.spec.updateStrategy ??= { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } }
    template(it.spec)
  },
  ValidatingAdmissionPolicy(it) {
    it.spec ??= {}
    fill(it.spec, { failurePolicy: 'Fail' })
    if (it.spec.matchConstraints) matching(it.spec.matchConstraints)
  },
  ValidatingAdmissionPolicyBinding(it) {
    if (it.spec?.matchResources) matching(it.spec.matchResources)
  },
  Job(it) {
    it.spec ??= {}
    job(it.spec)
  },
  CronJob(it) {
    it.spec ??= {}
    fill(it.spec, { concurrencyPolicy: 'Allow', suspend: false })
    fill(it.spec, { successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 })
    const { spec } = it.spec.jobTemplate ?? {}
    if (spec?.template) template(spec)
  },
  Service(it) {
    it.spec ??= {}
    fill(it.spec, { type: 'ClusterIP', sessionAffinity: 'None', internalTrafficPolicy: 'Cluster' })
    fill(it.spec, { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' })
    for (const port of it.spec.ports ?? []) fill(port, { protocol: 'TCP', targetPort: port.port })
  },
  Secret(it) {
    it.type ??= 'Opaque'
    if (!it.stringData) return
    const added = Object.entries(it.stringData).map(([key, value]) => [
      key,
      Buffer.from(String(value)).toString('base64'),
    ])
    it.data = { ...it.data, ...Object.fromEntries(added) }
    delete it.stringData
  },
  NetworkPolicy(it) {
    it.spec ??= {}
    it.spec.podSelector ??= {}
    it.spec.policyTypes ??= ['Ingress', ...(it.spec.egress ? ['Egress'] : [])]
    for (const rule of [...(it.spec.ingress ?? []), ...(it.spec.egress ?? [])]) {
      for (const port of rule.ports ?? []) fill(port, { protocol: 'TCP' })
    }
  },
}

const fill = (target: Record<string, Loose>, values: Record<string, Loose>) => {
  for (const [key, value] of Object.entries(values)) target[key] ??= value
}

const matching = (it: Loose) => {
  fill(it, { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} })
  for (const rule of [...(it.resourceRules ?? []), ...(it.excludeResourceRules ?? [])]) fill(rule, { scope: '*' })
}

const job = (spec: Loose) => {
  // Without a number of completions one success ends a Job, as many as there may be at once.
  if (spec.completions === undefined && spec.parallelism === undefined) fill(spec, { completions: 1, parallelism: 1 })
  fill(spec, { parallelism: 1, backoffLimit: 6, completionMode: 'NonIndexed', suspend: false })
  fill(spec, { podReplacementPolicy: 'TerminatingOrFailed' })
  template(spec)
}

const template = (spec: Loose) => {
  if (!spec.template) return
  spec.template.metadata ??= {}
  spec.template.spec ??= {}
  podSpec(spec.template.spec)
}

const podSpec = (spec: Loose) => {
  fill(spec, { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, dnsPolicy: 'ClusterFirst' })
  fill(spec, { securityContext: {}, schedulerName: 'default-scheduler' })
  for (const it of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) container(it)
  for (const volume of spec.volumes ?? []) {
    for (const source of ['configMap', 'secret', 'projected', 'downwardAPI']) {
      if (volume[source]) fill(volume[source], { defaultMode: 420 })
    }
  }
}

const container = (it: Loose) => {
  const image = String(it.image ?? '')
  const tag = /:([^/@]+)$/.exec(image)?.[1]
  fill(it, { imagePullPolicy: !image.includes('@') && (tag ?? 'latest') === 'latest' ? 'Always' : 'IfNotPresent' })
  fill(it, { resources: {}, terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' })
  for (const port of it.ports ?? []) fill(port, { protocol: 'TCP' })
  for (const variable of it.env ?? [])
    if (variable.valueFrom?.fieldRef) fill(variable.valueFrom.fieldRef, { apiVersion: 'v1' })
  for (const probe of [it.readinessProbe, it.livenessProbe, it.startupProbe]) {
    if (!probe) continue
    fill(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 })
    if (probe.httpGet) fill(probe.httpGet, { path: '/', scheme: 'HTTP' })
  }
}
