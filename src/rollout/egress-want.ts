import type { Json } from '../engine/json.ts'
import type { KubeObject } from './kube/object.ts'
import type { ProxyFiles } from './manifests.ts'
import { type Container, type EnvVar, placedAt, type WorkloadRef } from './workload.ts'
import type { Rollout } from './workloads/read.ts'

export type EgressWant = {
  kubeconfig: string
  namespace: string
  kind: WorkloadRef['kind']
  name: string
  label: { key: string; value: string }
  env: EnvVar[]
  containers: 'all'
  /** A directory that every container gets, where the proxy asks for certificates. */
  files?: ProxyFiles
  waitSeconds?: number
}

/** What we apply: nothing but the label and our variables, for every container that is there now. */
export const objectOf = (
  { kind, namespace, name, label, env, files }: EgressWant,
  { of, template }: Rollout,
): KubeObject => {
  const withEnv = (list: Container[] = []) =>
    list.map(it => ({ name: it.name, env: env as Json, ...(files && { volumeMounts: [files.mount] }) }))
  const init = withEnv(template.spec.initContainers)
  const spec = {
    containers: withEnv(template.spec.containers),
    ...(init.length > 0 && { initContainers: init }),
    ...(files && { volumes: [files.volume] }),
  }
  const wanted = { metadata: { labels: { [label.key]: label.value } }, ...(!of.labelOnly && { spec }) }
  const placed = placedAt(of.templateAt, wanted) as { metadata?: object }
  return { apiVersion: of.apiVersion, kind, ...placed, metadata: { ...placed.metadata, name, namespace } }
}

export const showWorkload = ({ kind, namespace, name }: Pick<EgressWant, 'kind' | 'namespace' | 'name'>) =>
  `${kind} ${namespace}/${name}`
