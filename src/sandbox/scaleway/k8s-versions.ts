import { constraint, notFound, ok } from './answer.ts'
import { page } from './lists.ts'
import { type Route, route } from './router.ts'

export const cnis = ['cilium', 'cilium_native', 'calico', 'kilo', 'none']

/** Newest first, as the API lists them. */
const versions = [
  ['1.36.1', '2026-05-12'],
  ['1.35.3', '2026-03-24'],
  ['1.34.1', '2025-09-29'],
  ['1.33.4', '2025-09-04'],
  ['1.32.8', '2025-09-04'],
] as const

/** A full x.y.z; the minor alone is for clusters that upgrade themselves. */
export const resolveVersion = (asked: string, autoUpgrade: boolean): string => {
  const found = versions.find(([name]) => name === asked || (autoUpgrade && name.startsWith(`${asked}.`)))
  if (!found) throw constraint('version', `${asked} is not available`)
  return found[0]
}

export const k8sVersionRoutes = (): Route[] => {
  const root = '/k8s/v1/regions/:region'
  return [
    route('GET', `${root}/versions`, ({ place }) => ok({ versions: versions.map(it => show(it, place)) })),
    route('GET', `${root}/versions/:name`, ({ place, params }) => {
      const found = versions.find(([name]) => name === params.name)
      if (!found) throw notFound('version', params.name!)
      return ok(show(found, place))
    }),
    route('GET', `${root}/cluster-types`, ask =>
      page(
        'cluster_types',
        ['kapsule'].map(name => clusterType(name)),
        ask,
      ),
    ),
  ]
}

const show = ([name, released]: readonly [string, string], region: string) => ({
  ...{ region, name, label: `Kubernetes ${name}`, available_cnis: cnis },
  available_container_runtimes: ['containerd'],
  available_feature_gates: ['HPAScaleToZero', 'ImageVolume'],
  available_admission_plugins: ['AlwaysPullImages', 'PodNodeSelector', 'PodTolerationRestriction'],
  available_kubelet_args: kubeletArgs,
  ...{ deprecated_at: yearAfter(released, 0), end_of_life_at: yearAfter(released, 2) },
  released_at: `${released}T00:00:00Z`,
})

const kubeletArgs = {
  ...{ containerLogMaxFiles: 'uint16', containerLogMaxSize: 'quantity', cpuCFSQuota: 'bool' },
  ...{ cpuCFSQuotaPeriod: 'duration', cpuManagerPolicy: 'enum:none|static' },
  ...{ cpuManagerPolicyOptions: 'map[string]string', enableDebuggingHandlers: 'bool' },
  ...{ evictionHard: 'map[string]string', evictionMinimumReclaim: 'map[string]string' },
  ...{ imageGCHighThresholdPercent: 'uint32', imageGCLowThresholdPercent: 'uint32', maxParallelImagePulls: 'int32' },
  ...{ maxPods: 'uint16', registryBurst: 'int32', registryPullQPS: 'int32', serializeImagePulls: 'bool' },
}

const yearAfter = (date: string, months: number): string => {
  const [year, month, day] = date.split('-').map(Number) as [number, number, number]
  return new Date(Date.UTC(year + 1, month - 1 + months, day)).toISOString().replace('.000Z', 'Z')
}

const clusterType = (name: string) => ({
  ...{ name, availability: 'available', max_nodes: 150, commitment_delay: '0s', sla: 0, resiliency: 'standard' },
  ...{ memory: 4_000_000_000, dedicated: false, audit_logs_supported: false, max_etcd_size: 50_000_000 },
})
