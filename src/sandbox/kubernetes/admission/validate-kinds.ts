import { parseSchedule } from '../objects/cron.ts'
import { bad, barred, missing } from '../objects/mistakes.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { same } from '../objects/object.ts'
import type { Mistake } from '../objects/status.ts'
import { badRequest } from '../objects/status.ts'
import { compile, trouble, typeOf, undeclared } from './cel.ts'

type Rule = (obj: Obj, before: Obj | undefined) => Mistake[]

const positive = (field: string, value: Loose): Mistake[] =>
  value === undefined || (Number.isInteger(value) && value > 0) ? [] : [bad(field, value, 'must be greater than 0')]
const countable = (field: string, value: Loose): Mistake[] =>
  value === undefined || (Number.isInteger(value) && value >= 0)
    ? []
    : [bad(field, value, 'must be greater than or equal to 0')]
const fixed = (field: string, value: Loose, before: Loose): Mistake[] =>
  same(value, before) ? [] : [bad(field, value, 'field is immutable')]

/** MicroTime is read with exactly six digits, or not at all: milliseconds alone are a mistake that a real server shows. */
const microTimes = (obj: Obj, of: Loose, members: string[]) => {
  for (const member of members) {
    const given = of?.[member]
    if (given === undefined || given === null || /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/.test(given))
      continue
    const version = obj.apiVersion.split('/').at(-1)
    const why = `parsing time ${JSON.stringify(given)} as "2006-01-02T15:04:05.000000Z07:00"`
    throw badRequest(`${obj.kind} in version "${version}" cannot be handled as a ${obj.kind}: ${why}: cannot parse it`)
  }
}

const Lease: Rule = obj => {
  const { spec = {} } = obj
  microTimes(obj, spec, ['acquireTime', 'renewTime'])
  const { leaseDurationSeconds, leaseTransitions } = spec
  return [
    ...positive('spec.leaseDurationSeconds', leaseDurationSeconds),
    ...countable('spec.leaseTransitions', leaseTransitions),
  ]
}

const Event: Rule = obj => {
  microTimes(obj, obj, ['eventTime'])
  const { involvedObject = {}, metadata } = obj
  const { namespace = '' } = involvedObject
  const isHome = namespace === '' ? metadata.namespace === 'default' : namespace === metadata.namespace
  const found = isHome ? [] : [bad('involvedObject.namespace', namespace, 'does not match event.namespace')]
  // A new-style event says when by eventTime, and must then say who and what.
  if (!obj.eventTime) return found
  for (const member of ['reportingComponent', 'reportingInstance', 'action', 'reason'])
    if (!obj[member]) found.push(missing(member === 'reportingComponent' ? 'reportingController' : member))
  if (!['Normal', 'Warning'].includes(obj.type)) found.push(bad('type', obj.type ?? '', 'has invalid value: '))
  if ((obj.message?.length ?? 0) > 1024) found.push(bad('message', '', 'can have at most 1024 characters'))
  return found
}

const StatefulSet: Rule = ({ spec }, before) => {
  if (!before) return []
  const { replicas: _r, ordinals: _o, template: _t, updateStrategy: _u, ...rest } = spec
  const { replicas: _1, ordinals: _2, template: _3, updateStrategy: _4, ...was } = before.spec
  for (const it of [rest, was])
    for (const free of ['revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy', 'minReadySeconds'])
      delete it[free]
  const why =
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
  return same(rest, was) ? [] : [barred('spec', why)]
}

const Job: Rule = ({ spec = {} }, before) => [
  ...countable('spec.parallelism', spec.parallelism),
  ...countable('spec.completions', spec.completions),
  ...countable('spec.backoffLimit', spec.backoffLimit),
  ...(['Never', 'OnFailure'].includes(spec.template?.spec?.restartPolicy)
    ? []
    : [
        {
          field: 'spec.template.spec.restartPolicy',
          reason: 'FieldValueNotSupported' as const,
          message: `Unsupported value: ${JSON.stringify(spec.template?.spec?.restartPolicy)}: supported values: "OnFailure", "Never"`,
        },
      ]),
  ...(before && !before.spec.suspend ? fixed('spec.template', spec.template, before.spec.template) : []),
  ...(before ? fixed('spec.selector', spec.selector, before.spec.selector) : []),
]

const CronJob: Rule = ({ spec = {} }) => [
  ...(spec.schedule ? [] : [missing('spec.schedule')]),
  ...(spec.schedule && !parseSchedule(spec.schedule)
    ? [bad('spec.schedule', spec.schedule, 'not a cron schedule')]
    : []),
  ...(spec.jobTemplate ? [] : [missing('spec.jobTemplate')]),
]

const PodDisruptionBudget: Rule = ({ spec = {} }) =>
  spec.minAvailable !== undefined && spec.maxUnavailable !== undefined
    ? [bad('spec', spec, 'minAvailable and maxUnavailable cannot be both set')]
    : []

const ValidatingAdmissionPolicy: Rule = ({ spec = {} }) => {
  const declared: string[] = (spec.variables ?? []).map((it: Loose) => it.name)
  const wrong = (field: string, text: string | undefined, type: string, known: string[]): Mistake[] => {
    if (text === undefined) return [missing(field)]
    try {
      compile(text)
    } catch (thrown) {
      return [bad(field, text, `compilation failed: ${trouble(thrown)}`)]
    }
    const lacking = undeclared(text, known)
    if (lacking) return [bad(field, text, `compilation failed: ERROR: <input>: undefined field '${lacking}'`)]
    const given = typeOf(text)
    return ['dyn', 'dynamic', type].includes(given) || type === 'dyn'
      ? []
      : [bad(field, text, `must evaluate to ${type} but got ${given}`)]
  }
  const each = (member: string, type: string, known: (index: number) => string[], of = 'expression') =>
    (spec[member] ?? []).flatMap((it: Loose, index: number) =>
      of === 'expression' || it[of] !== undefined
        ? wrong(`spec.${member}[${index}].${of}`, it[of], type, known(index))
        : [],
    )
  const { resourceRules = [] } = spec.matchConstraints ?? {}
  const none = 'validations or auditAnnotations must contain at least one item'
  const all = () => declared
  return [
    ...(resourceRules.length > 0 ? [] : [missing('spec.matchConstraints.resourceRules')]),
    ...(spec.validations?.length || spec.auditAnnotations?.length
      ? []
      : [missing('spec.validations', none), missing('spec.auditAnnotations', none)]),
    ...each('matchConditions', 'bool', () => []),
    ...each('variables', 'dyn', index => declared.slice(0, index)),
    ...each('validations', 'bool', all),
    ...each('validations', 'string', all, 'messageExpression'),
  ]
}

const actions = ['Deny', 'Warn', 'Audit']
const ValidatingAdmissionPolicyBinding: Rule = ({ spec = {} }) => [
  ...(spec.policyName ? [] : [missing('spec.policyName')]),
  ...(spec.validationActions?.length ? [] : [missing('spec.validationActions')]),
  ...(spec.validationActions ?? [])
    .filter((it: string) => !actions.includes(it))
    .map((it: string) => bad('spec.validationActions', it, `supported values: ${actions.join(', ')}`)),
  ...(spec.validationActions?.includes('Deny') && spec.validationActions.includes('Warn')
    ? [
        bad(
          'spec.validationActions',
          spec.validationActions,
          'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
        ),
      ]
    : []),
]

const binding: Rule = ({ roleRef }, before) =>
  before && !same(before.roleRef, roleRef) ? [bad('roleRef', roleRef, 'cannot change roleRef')] : []

export const ofKind: Record<string, Rule> = {
  RoleBinding: binding,
  ClusterRoleBinding: binding,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  Lease,
  Event,
  StatefulSet,
  Job,
  CronJob,
  PodDisruptionBudget,
}
