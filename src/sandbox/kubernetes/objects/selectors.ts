import type { Loose, Obj } from './object.ts'
import { badRequest } from './status.ts'

export type Labels = Record<string, string>
export type Requirement = { key: string; operator: string; values?: string[] }
/** LabelSelector of the API; an empty one matches everything. */
export type LabelSelector = { matchLabels?: Labels; matchExpressions?: Requirement[] }

export const meets = (labels: Labels = {}, { key, operator, values = [] }: Requirement): boolean => {
  const value = labels[key]
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0])
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0])
    default:
      throw badRequest(`"${operator}" is not a valid label selector operator`)
  }
}

export const selects = (selector: LabelSelector | undefined, labels: Labels = {}): boolean =>
  Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
  (selector?.matchExpressions ?? []).every(it => meets(labels, it))

/** Whether a Service's selector picks the labels; none or an empty one picks nothing. */
export const picks = (selector: Labels | undefined, labels: Labels = {}): boolean =>
  !!selector && Object.keys(selector).length > 0 && Object.entries(selector).every(([k, v]) => labels[k] === v)

/** `a=b,c!=d,e in (f,g),h,!i` as requirements. */
export const parseLabelSelector = (text: string): Requirement[] => {
  const parts = text.match(/(?:[^,(]|\([^)]*\))+/g) ?? []
  return parts
    .map(it => it.trim())
    .filter(it => it !== '')
    .map(requirement)
}

const requirement = (text: string): Requirement => {
  const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(text)
  if (set)
    return { key: set[1]!, operator: set[2] === 'in' ? 'In' : 'NotIn', values: set[3]!.split(',').map(it => it.trim()) }
  const equal = /^([^=!\s]+)\s*(==|=|!=)\s*(\S*)$/.exec(text)
  if (equal) return { key: equal[1]!, operator: equal[2] === '!=' ? 'NotIn' : 'In', values: [equal[3]!] }
  const bare = /^(!?)\s*([^=!\s]+)$/.exec(text)
  if (bare) return { key: bare[2]!, operator: bare[1] ? 'DoesNotExist' : 'Exists' }
  throw badRequest(`unable to parse requirement: ${text}`)
}

/** `status.phase!=Running,spec.nodeName=a` as a test of objects; an absent member counts as empty. `why`: not that field. */
export const parseFieldSelector = (
  text: string,
  why: (field: string) => string | null = () => null,
): ((obj: Obj) => boolean) => {
  const tests = text
    .split(',')
    .filter(it => it !== '')
    .map(it => {
      const parts = /^([^=!]+)(==|=|!=)(.*)$/.exec(it)
      if (!parts) throw badRequest(`invalid selector: '${text}'; can't understand '${it}'`)
      const [, path, operator, value] = parts
      const against = why(path!)
      if (against !== null) throw badRequest(against)
      return (obj: Obj) => (memberAt(obj, path!) === value) === (operator !== '!=')
    })
  return obj => tests.every(test => test(obj))
}

const flags = new Set(['spec.unschedulable', 'spec.hostNetwork'])

const memberAt = (obj: Loose, path: string): string => {
  const found = path.split('.').reduce((it, name) => it?.[name], obj)
  if (found === undefined || found === null) return flags.has(path) ? 'false' : ''
  return String(found)
}

export type Filter = {
  labels?: string | undefined
  fields?: string | undefined
  why?: (field: string) => string | null
}

export const filter = ({ labels = '', fields = '', why }: Filter): ((obj: Obj) => boolean) => {
  const requirements = parseLabelSelector(labels)
  const matches = parseFieldSelector(fields, why)
  return obj => requirements.every(it => meets(obj.metadata.labels, it)) && matches(obj)
}
