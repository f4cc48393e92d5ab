import type { Taint } from '../../ports.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { now } from '../objects/object.ts'

/** The node as its kubelet would report it, ready. */
export const nodeObject = (it: { name: string; address: string; podCidr: string; version: string }): Obj => {
  const condition = (type: string, status: string, reason: string) => ({
    type,
    status,
    reason,
    lastHeartbeatTime: now(),
    lastTransitionTime: now(),
  })
  const capacity = { cpu: '2', memory: '2097152Ki', pods: '110' }
  return {
    metadata: { name: it.name },
    spec: { podCIDR: it.podCidr, podCIDRs: [it.podCidr], providerID: `sandbox:///${it.name}` },
    status: {
      addresses: [
        { type: 'InternalIP', address: it.address },
        { type: 'Hostname', address: it.name },
      ],
      capacity,
      allocatable: capacity,
      conditions: [
        condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'),
        condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure'),
        condition('PIDPressure', 'False', 'KubeletHasSufficientPID'),
        condition('Ready', 'True', 'KubeletReady'),
      ],
      nodeInfo: {
        kubeletVersion: it.version,
        kubeProxyVersion: it.version,
        osImage: 'Linux namespaces',
        kernelVersion: 'sandbox',
        containerRuntimeVersion: 'netns://1',
        operatingSystem: 'linux',
        architecture: 'amd64',
        machineID: '',
        systemUUID: '',
        bootID: '',
      },
    },
  } as unknown as Obj
}

/** Labels of the pool replace those it gave before; what others put on the node stays. */
export const poolLabels = (
  current: Loose,
  before: Record<string, string>,
  next: Record<string, string>,
  name: string,
) => ({
  ...Object.fromEntries(Object.entries(current ?? {}).filter(([key]) => !(key in before))),
  'kubernetes.io/hostname': name,
  'kubernetes.io/os': 'linux',
  'kubernetes.io/arch': 'amd64',
  ...next,
})

export const poolTaints = (current: Taint[] = [], before: Taint[], next: Taint[]): Taint[] => {
  const isIn = (list: Taint[], it: Taint) => list.some(its => its.key === it.key && its.effect === it.effect)
  return [...current.filter(it => !isIn(before, it) && !isIn(next, it)), ...next]
}
