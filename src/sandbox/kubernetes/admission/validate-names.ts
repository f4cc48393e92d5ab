import { bad, missing } from '../objects/mistakes.ts'
import type { Loose, Obj } from '../objects/object.ts'
import type { Resource } from '../objects/resources.ts'
import type { Mistake } from '../objects/status.ts'

const part = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
export const subdomain = new RegExp(`^${part}(\\.${part})*$`)
export const label = new RegExp(`^${part}$`)
const loose = new Set(['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'])
const key = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const value = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/

/** How the real one says what a pattern wants; `like` are examples. */
const wants = (what: string, like: string[], pattern: string): string =>
  `${what} (e.g. ${like.map(it => `'${it}'`).join(',  or ')}, regex used for validation is '${pattern}')`

const ENDS = 'must start and end with an alphanumeric character'
const SUBDOMAIN = wants(
  `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and ${ENDS}`,
  ['example.com'],
  `${part}(\\.${part})*`,
)
const LABEL = wants(
  `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and ${ENDS}`,
  ['my-name', '123-abc'],
  part,
)
const VALUE = wants(
  `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and ${ENDS}`,
  ['MyValue', 'my_value', '12345'],
  '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?',
)
const KEY = wants(
  `name part must consist of alphanumeric characters, '-', '_' or '.', and ${ENDS}`,
  ['MyName', 'my.name', '123-abc'],
  '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]',
)
const DATA = wants(
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  ['key.name', 'KEY_NAME', 'key-name'],
  '[-._a-zA-Z0-9]+',
)

export const nameMistakes = (of: Resource, { metadata }: Obj): Mistake[] => {
  const { name, labels = {} } = metadata
  if (!name) return [missing('metadata.name', 'name or generateName is required')]
  const isLabel = of.kind === 'Namespace' || of.kind === 'Service'
  const found =
    loose.has(of.kind) || (name.length <= 253 && (isLabel ? label : subdomain).test(name))
      ? []
      : [bad('metadata.name', name, isLabel ? LABEL : SUBDOMAIN)]
  return [...found, ...labelMistakes('metadata.labels', labels)]
}

export const labelMistakes = (field: string, labels: Record<string, Loose>): Mistake[] =>
  Object.entries(labels).flatMap(([name, its]) => [
    ...(key.test(name) && name.split('/').at(-1)!.length <= 63 ? [] : [bad(field, name, KEY)]),
    ...(typeof its === 'string' && value.test(its) ? [] : [bad(field, its, VALUE)]),
    ...(typeof its === 'string' && its.length > 63 ? [bad(field, its, 'must be no more than 63 bytes')] : []),
  ])

export const labelNameMistakes = (field: string, name: string): Mistake[] =>
  label.test(name) ? [] : [bad(field, name, LABEL)]

/** Of a ConfigMap or Secret. */
export const dataMistakes = ({ data = {}, binaryData = {}, immutable }: Obj, before: Obj | undefined): Mistake[] => [
  ...Object.keys({ ...data, ...binaryData }).flatMap(it =>
    /^[-._a-zA-Z0-9]+$/.test(it) ? [] : [bad(`data[${it}]`, it, DATA)],
  ),
  ...(before?.immutable && !immutable ? [frozen('immutable')] : []),
  ...(before?.immutable && JSON.stringify(before.data) !== JSON.stringify(data) ? [frozen('data')] : []),
]

const frozen = (field: string): Mistake => ({
  field,
  reason: 'FieldValueForbidden',
  message: 'Forbidden: field is immutable when `immutable` is set',
})
