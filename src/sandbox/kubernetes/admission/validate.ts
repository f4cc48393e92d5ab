import { bad, barred, lost, missing, twice, unknown } from '../objects/mistakes.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { clone, isMap, same } from '../objects/object.ts'
import type { Resource } from '../objects/resources.ts'
import { selects } from '../objects/selectors.ts'
import type { Mistake } from '../objects/status.ts'
import { invalid } from '../objects/status.ts'
import { ofKind } from './validate-kinds.ts'
import { metaMistakes } from './validate-meta.ts'
import { dataMistakes, labelMistakes, labelNameMistakes, nameMistakes } from './validate-names.ts'

/** The mistakes that would surprise a user if they passed here and failed on a real cluster. Throws 422 with all. */
export const validate = (of: Resource, obj: Obj, before: Obj | undefined): void => {
  const found: Mistake[] = [
    ...nameMistakes(of, obj),
    ...metaMistakes(obj, before),
    ...(byKind[of.kind]?.(obj, before) ?? []),
    ...(ofKind[of.kind]?.(obj, before) ?? []),
  ]
  if (found.length > 0) throw invalid(of, obj.metadata.name, found)
}

const workload = (obj: Obj, before: Obj | undefined): Mistake[] => {
  const { selector, template, replicas } = obj.spec ?? {}
  const labels = template?.metadata?.labels
  const found: Mistake[] = []
  if (replicas !== undefined && !(Number.isInteger(replicas) && replicas >= 0))
    found.push(bad('spec.replicas', replicas, 'must be greater than or equal to 0'))
  if (!selector) found.push(missing('spec.selector'))
  else if (before && !same(before.spec.selector, selector))
    found.push(bad('spec.selector', selector, 'field is immutable'))
  if (!selector || !selects(selector, labels))
    found.push(bad('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`'))
  found.push(...labelMistakes('spec.template.metadata.labels', labels ?? {}))
  found.push(...podSpec('spec.template.spec', template?.spec ?? {}, ['Always']))
  return found
}

const strategy = ({ spec = {} }: Obj): Mistake[] => {
  const { type, rollingUpdate } = spec.strategy ?? {}
  if (type === 'Recreate')
    return rollingUpdate
      ? [barred('spec.strategy.rollingUpdate', "may not be specified when strategy `type` is 'Recreate'")]
      : []
  if (type !== 'RollingUpdate') return [unknown('spec.strategy', spec.strategy ?? {}, ['Recreate', 'RollingUpdate'])]
  const { maxSurge, maxUnavailable } = rollingUpdate ?? {}
  const isNone = (it: Loose) => Number.parseInt(String(it), 10) === 0
  return isNone(maxSurge) && isNone(maxUnavailable)
    ? [bad('spec.strategy.rollingUpdate.maxUnavailable', maxUnavailable, 'may not be 0 when `maxSurge` is 0')]
    : []
}

const order = ({ spec = {} }: Obj): Mistake[] =>
  ['OrderedReady', 'Parallel'].includes(spec.podManagementPolicy)
    ? []
    : [bad('spec.podManagementPolicy', spec.podManagementPolicy, "must be 'OrderedReady' or 'Parallel'")]

const podSpec = (field: string, spec: Loose, restarts: string[]): Mistake[] => {
  const containers: Loose[] = Array.isArray(spec.containers) ? spec.containers : []
  const seen = new Set<string>()
  const volumes = new Set((spec.volumes ?? []).map((it: Loose) => it.name))
  const found = containers.length === 0 ? [missing(`${field}.containers`)] : []
  const listed = ['containers', 'initContainers'].flatMap(list =>
    (Array.isArray(spec[list]) ? spec[list] : []).map((it: Loose, n: number) => ({ it, at: `${field}.${list}[${n}]` })),
  )
  for (const { it, at } of listed) {
    if (!isMap(it)) continue
    if (!it.name) found.push(missing(`${at}.name`))
    else if (seen.has(it.name)) found.push(twice(`${at}.name`, it.name))
    else found.push(...labelNameMistakes(`${at}.name`, it.name))
    seen.add(it.name)
    if (!it.image) found.push(missing(`${at}.image`))
    for (const [n, variable] of (it.env ?? []).entries()) found.push(...envMistakes(`${at}.env[${n}]`, variable))
    for (const [n, mount] of (it.volumeMounts ?? []).entries()) {
      if (!volumes.has(mount.name)) found.push(lost(`${at}.volumeMounts[${n}].name`, mount.name))
    }
  }
  if (spec.restartPolicy !== undefined && !restarts.includes(spec.restartPolicy))
    found.push(unknown(`${field}.restartPolicy`, spec.restartPolicy, restarts))
  return found
}

const envMistakes = (at: string, { name, value, valueFrom }: Loose): Mistake[] => [
  ...(name ? [] : [missing(`${at}.name`)]),
  ...(value !== undefined && typeof value !== 'string' ? [bad(`${at}.value`, value, 'must be a string')] : []),
  ...(value && valueFrom ? [bad(`${at}.valueFrom`, '', 'may not be specified when `value` is not empty')] : []),
]

/** Of a pod's spec only images, tolerations and the deadline may change. */
const podSpecChange = (obj: Obj, before: Obj | undefined): Mistake[] => {
  if (!before) return []
  const fixed = (spec: Loose) => {
    const {
      tolerations: _t,
      ephemeralContainers: _e,
      activeDeadlineSeconds: _a,
      terminationGracePeriodSeconds: _g,
      ...rest
    } = clone(spec)
    for (const it of [...(rest.containers ?? []), ...(rest.initContainers ?? [])]) delete it.image
    return rest
  }
  return same(fixed(obj.spec), fixed(before.spec))
    ? []
    : [
        {
          field: 'spec',
          reason: 'FieldValueForbidden',
          message:
            'Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)',
        },
      ]
}

const byKind: Record<string, (obj: Obj, before: Obj | undefined) => Mistake[]> = {
  Deployment: (obj, before) => [...workload(obj, before), ...strategy(obj)],
  ReplicaSet: workload,
  StatefulSet: (obj, before) => [...workload(obj, before), ...order(obj)],
  ConfigMap: dataMistakes,
  Secret: dataMistakes,
  DaemonSet: workload,
  Pod: (obj, before) => [
    ...podSpec('spec', obj.spec ?? {}, ['Always', 'OnFailure', 'Never']),
    ...podSpecChange(obj, before),
  ],
  Service: ({ spec = {} }, before) => [
    ...(spec.type !== 'ExternalName' && spec.clusterIP !== 'None' && !spec.ports?.length
      ? [missing('spec.ports')]
      : []),
    ...(before && before.spec.clusterIP !== spec.clusterIP
      ? [bad('spec.clusterIP', spec.clusterIP, 'field is immutable')]
      : []),
  ],
}
