import { objectOf } from '../../../src/rollout/egress-want.ts'
import type { KubeObject } from '../../../src/rollout/kube/object.ts'
import { nothingAltered } from '../../../src/rollout/preflight/altered.ts'
import type { Budget, Moving, Policy, Sight } from '../../../src/rollout/preflight/sight.ts'
import type { Pod, Workload, WorkloadRef } from '../../../src/rollout/workload.ts'
import { kindOf, templateOf } from '../../../src/rollout/workloads/read.ts'

export const wishes = { patient: false, patch: false, grows: false }

export const sight = (more: Partial<Sight> = {}): Sight => ({
  namespace: 'shop',
  ...{ moving: [], absent: [], pods: [], workloads: [], services: [], policies: [], budgets: [], quotas: [] },
  ...{ missing: [], unread: [], inside: ['100.64.0.0/15', '10.32.0.0/20', '172.16.28.0/22'] },
  ...{ nodes: null, everyPod: [], claims: [], foreign: [], namespaceLabels: null, scalers: [] },
  wishes,
  ...more,
})

type Words = {
  kind?: WorkloadRef['kind']
  name?: string
  metadata?: object
  spec?: object
  status?: object
  labels?: Record<string, string>
  containers?: object[]
  template?: object
  pods?: Pod[]
  old?: Pod[]
} & Partial<Omit<Moving, 'template' | 'labels'>>

export const env = ['HTTP_PROXY', 'http_proxy'].map(name => ({ name, value: 'http://172.16.28.8:3128' }))

/** A healthy Deployment of two pods that would be moved, with these words said otherwise. */
export const moving = ({ kind = 'Deployment', name = 'web', ...words }: Words = {}): Moving => {
  const {
    metadata,
    spec,
    status,
    labels = { app: name },
    containers = [{ name: 'c' }],
    template,
    pods,
    old,
    ...more
  } = words
  const of = kindOf({ kind })
  const made = { metadata: { labels }, spec: { containers, ...template } }
  const at = kind === 'CronJob' ? { jobTemplate: { spec: { template: made } } } : { template: made }
  const workload = {
    ...{ apiVersion: of.apiVersion, kind },
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid-${name}`,
      generation: 1,
      ...(kind === 'Pod' && { labels }),
      ...metadata,
    },
    spec: kind === 'Pod' ? made.spec : { replicas: 2, selector: { matchLabels: { app: name } }, ...at, ...spec },
    status: {
      observedGeneration: 1,
      replicas: 2,
      updatedReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
      ...status,
    },
  } as unknown as Workload
  const want = {
    ...{ kubeconfig: '', namespace: 'shop', kind, name, label: { key: 'egress', value: 'external' }, env },
    containers: 'all' as const,
  }
  const rollout = {
    ...{ workload, of, template: templateOf(workload, of) },
    ...{ current: pods ?? [pod(`${name}-1`, { labels }), pod(`${name}-2`, { labels })], old: old ?? [] },
  }
  return {
    ...{ ...rollout, want, ref: { kind, name }, name: `shop/${name}`, phase: 'canary', begun: false },
    labels: { before: labels, after: { ...labels, egress: 'external' } },
    target: objectOf(want, rollout),
    ...{
      refused: null,
      podRefused: null,
      altered: nothingAltered,
      podAltered: nothingAltered,
      lacksCurl: false,
      standInRefused: null,
      ...more,
    },
  }
}

export const pod = (
  name: string,
  { ready = true, restarts = 0, waiting = '', labels = {}, metadata = {} }: { ready?: boolean; restarts?: number; waiting?: string; labels?: Record<string, string>; metadata?: object } = {}, // biome-ignore format: words
): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', labels, ...metadata },
  spec: { containers: [{ name: 'c' }] },
  status: {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    containerStatuses: [{ name: 'c', ready, restartCount: restarts, ...(waiting && { state: { waiting: { reason: waiting } } }) }], // biome-ignore format: one
  },
})

export const policy = (spec: Policy['spec'], labels = {}): Policy => ({
  kind: 'NetworkPolicy',
  metadata: { name: 'theirs', labels },
  spec,
})

export const budget = (spec: Omit<Budget['spec'], 'selector'>, app = 'web'): Budget => ({
  kind: 'PodDisruptionBudget',
  metadata: { name: 'enough' },
  spec: { selector: { matchLabels: { app } }, ...spec },
})

/** As an object of the API, with who holds what. */
export const held = (by: string, operation: 'Apply' | 'Update', fieldsV1: object) => ({
  managedFields: [{ manager: by, operation, fieldsV1 }] as unknown as NonNullable<
    KubeObject['metadata']['managedFields']
  >,
})
