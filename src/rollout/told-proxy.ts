import { EGRESS_LABEL } from './manifests.ts'
import { PROBE_LABEL } from './probe-pod.ts'
import type { EnvVar, Pod } from './workload.ts'

/**
 * curl's words for our proxy, where a pod made by hand has moved: it has the label, and nobody could give it variables.
 * A program in it reads the proxy in the ConfigMap; curl is told the same. []: the pod's own environment decides.
 */
export const toldProxy = ({ metadata, spec }: Pod, env: readonly EnvVar[] = []): string[] => {
  const { labels = {}, ownerReferences = [] } = metadata
  const isMoved = labels[EGRESS_LABEL.key] === EGRESS_LABEL.value
  if (!isMoved || labels[PROBE_LABEL] !== undefined || ownerReferences.some(it => it.controller)) return []
  if (spec.containers[0]?.env?.some(it => /^https?_proxy$/i.test(it.name))) return []
  const saidBy = (name: string) => env.find(it => it.name === name)?.value
  const proxy = saidBy('HTTP_PROXY')
  return proxy === undefined ? [] : ['--proxy', proxy, '--noproxy', saidBy('NO_PROXY') ?? '']
}
