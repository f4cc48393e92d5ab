import { bad, missing } from './mistakes.ts'
import type { Loose, Obj } from './object.ts'
import { clone, isMap, same } from './object.ts'
import type { Resource } from './resources.ts'
import { selects } from './selectors.ts'
import type { Mistake } from './status.ts'
import { invalid } from './status.ts'
import { ofKind } from './validate-kinds.ts'

/** The mistakes that would surprise a user if they passed here and failed on a real cluster. Throws 422 with all. */
export const validate = (of: Resource, obj: Obj, before: Obj | undefined): void => {
  const found: Mistake[] = [
    ...names(of, obj),
    ...(byKind[of.kind]?.(obj, before) ?? []),
    ...(ofKind[of.kind]?.(obj, before) ?? []),
  ]
  if (found.length > 0) throw invalid(of, obj.metadata.name, found)
}

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const labelName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
const loose = new Set(['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'])
const labelKey = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/

const names = (of: Resource, { metadata }: Obj): Mistake[] => {
  const { name, labels = {} } = metadata
  if (!name) return [missing('metadata.name', 'name or generateName is required')]
  const found = labelMistakes('metadata.labels', labels)
  const pattern = of.kind === 'Namespace' || of.kind === 'Service' ? labelName : subdomain
  if (!loose.has(of.kind) && (name.length > 253 || !pattern.test(name))) {
    found.push(
      bad(
        'metadata.name',
        name,
        'a lowercase RFC 1123 name must consist of lower case alphanumeric characters, "-" or "."',
      ),
    )
  }
  return found
}

const labelMistakes = (field: string, labels: Record<string, Loose>): Mistake[] =>
  Object.entries(labels).flatMap(([key, value]) => [
    ...(labelKey.test(key) ? [] : [bad(field, key, 'not a valid label key')]),
    ...(typeof value === 'string' && labelValue.test(value)
      ? []
      : [
          bad(
            field,
            value,
            'a valid label must be an empty string or consist of alphanumeric characters, "-", "_" or "."',
          ),
        ]),
  ])

const workload = (obj: Obj, before: Obj | undefined): Mistake[] => {
  const { selector, template, replicas } = obj.spec ?? {}
  if (!selector) return [missing('spec.selector')]
  const labels = template?.metadata?.labels
  const found = [
    ...labelMistakes('spec.template.metadata.labels', labels ?? {}),
    ...podSpec('spec.template.spec', template?.spec ?? {}),
  ]
  if (!selects(selector, labels))
    found.push(bad('spec.template.metadata.labels', labels ?? {}, '`selector` does not match template `labels`'))
  if (before && !same(before.spec.selector, selector)) found.push(bad('spec.selector', selector, 'field is immutable'))
  if (replicas !== undefined && !(Number.isInteger(replicas) && replicas >= 0))
    found.push(bad('spec.replicas', replicas, 'must be greater than or equal to 0'))
  return found
}

const podSpec = (field: string, spec: Loose): Mistake[] => {
  const containers: Loose[] = Array.isArray(spec.containers) ? spec.containers : []
  if (containers.length === 0) return [missing(`${field}.containers`)]
  const seen = new Set<string>()
  const volumes = new Set((spec.volumes ?? []).map((it: Loose) => it.name))
  const listed = ['containers', 'initContainers'].flatMap(list =>
    (Array.isArray(spec[list]) ? spec[list] : []).map((it: Loose, n: number) => ({ it, at: `${field}.${list}[${n}]` })),
  )
  return listed.flatMap(({ it, at }) => {
    const found: Mistake[] = []
    if (!isMap(it) || !it.name) return [missing(`${at}.name`)]
    if (!labelName.test(it.name)) found.push(bad(`${at}.name`, it.name, 'a lowercase RFC 1123 label is needed'))
    if (seen.has(it.name))
      found.push({ field: `${at}.name`, reason: 'FieldValueInvalid', message: `Duplicate value: "${it.name}"` })
    seen.add(it.name)
    if (!it.image) found.push(missing(`${at}.image`))
    for (const [n, variable] of (it.env ?? []).entries()) {
      if (!variable.name) found.push(missing(`${at}.env[${n}].name`))
      if (variable.value !== undefined && typeof variable.value !== 'string')
        found.push(bad(`${at}.env[${n}].value`, variable.value, 'must be a string'))
    }
    for (const [n, mount] of (it.volumeMounts ?? []).entries()) {
      if (!volumes.has(mount.name))
        found.push({
          field: `${at}.volumeMounts[${n}].name`,
          reason: 'FieldValueInvalid',
          message: `Not found: "${mount.name}"`,
        })
    }
    return found
  })
}

/** Of a pod's spec only images, tolerations and the deadline may change. */
const podSpecChange = (obj: Obj, before: Obj | undefined): Mistake[] => {
  if (!before) return []
  const fixed = (spec: Loose) => {
    const { tolerations: _t, activeDeadlineSeconds: _a, terminationGracePeriodSeconds: _g, ...rest } = clone(spec)
    for (const it of [...(rest.containers ?? []), ...(rest.initContainers ?? [])]) delete it.image
    return rest
  }
  return same(fixed(obj.spec), fixed(before.spec))
    ? []
    : [
        {
          field: 'spec',
          reason: 'FieldValueInvalid',
          message:
            'Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)',
        },
      ]
}

const byKind: Record<string, (obj: Obj, before: Obj | undefined) => Mistake[]> = {
  Deployment: workload,
  ReplicaSet: workload,
  StatefulSet: workload,
  DaemonSet: workload,
  Pod: (obj, before) => [...podSpec('spec', obj.spec ?? {}), ...podSpecChange(obj, before)],
  Service: ({ spec = {} }, before) => [
    ...(spec.type !== 'ExternalName' && spec.clusterIP !== 'None' && !spec.ports?.length
      ? [missing('spec.ports')]
      : []),
    ...(before && before.spec.clusterIP !== spec.clusterIP
      ? [bad('spec.clusterIP', spec.clusterIP, 'field is immutable')]
      : []),
  ],
}
