/**
 * The kinds that kubectl sends as protobuf and nothing else, with the field numbers of the API's generated.proto
 * files. Fields that are left out of a message are ignored; where 0 is `strict` a value in one is refused instead.
 */
export type Field = [name: string, type: Type, repeated?: 'list']
type Scalar = 'string' | 'int' | 'bool' | 'base64' | 'time' | 'strings' | 'bytesMap' | 'quantities' | 'intOrString'
export type Type = Scalar | Message
export type Message = { [number: number]: Field }

export const strict: Field = ['strict', 'bool']

const reference: Message = {
  5: ['apiVersion', 'string'],
  1: ['kind', 'string'],
  3: ['name', 'string'],
  4: ['uid', 'string'],
  6: ['controller', 'bool'],
  7: ['blockOwnerDeletion', 'bool'],
}
const meta: Message = {
  1: ['name', 'string'],
  2: ['generateName', 'string'],
  3: ['namespace', 'string'],
  5: ['uid', 'string'],
  6: ['resourceVersion', 'string'],
  8: ['creationTimestamp', 'time'],
  11: ['labels', 'strings'],
  12: ['annotations', 'strings'],
  13: ['ownerReferences', reference, 'list'],
  14: ['finalizers', 'string', 'list'],
}
const local: Message = { 1: ['name', 'string'] }
const selector: Message = {
  1: ['matchLabels', 'strings'],
  2: ['matchExpressions', { 1: ['key', 'string'], 2: ['operator', 'string'], 3: ['values', 'string', 'list'] }, 'list'],
}
const rule: Message = {
  1: ['verbs', 'string', 'list'],
  2: ['apiGroups', 'string', 'list'],
  3: ['resources', 'string', 'list'],
  4: ['resourceNames', 'string', 'list'],
  5: ['nonResourceURLs', 'string', 'list'],
}
const subject: Message = {
  1: ['kind', 'string'],
  2: ['apiGroup', 'string'],
  3: ['name', 'string'],
  4: ['namespace', 'string'],
}
const binding: Message = {
  1: ['metadata', meta],
  2: ['subjects', subject, 'list'],
  3: ['roleRef', { 1: ['apiGroup', 'string'], 2: ['kind', 'string'], 3: ['name', 'string'] }],
}
const container: Message = {
  0: strict,
  1: ['name', 'string'],
  2: ['image', 'string'],
  3: ['command', 'string', 'list'],
  4: ['args', 'string', 'list'],
  5: ['workingDir', 'string'],
  7: ['env', { 0: strict, 1: ['name', 'string'], 2: ['value', 'string'] }, 'list'],
  13: ['terminationMessagePath', 'string'],
  14: ['imagePullPolicy', 'string'],
  20: ['terminationMessagePolicy', 'string'],
}
const toleration: Message = {
  1: ['key', 'string'],
  2: ['operator', 'string'],
  3: ['value', 'string'],
  4: ['effect', 'string'],
  5: ['tolerationSeconds', 'int'],
}
const podSpec: Message = {
  0: strict,
  2: ['containers', container, 'list'],
  3: ['restartPolicy', 'string'],
  4: ['terminationGracePeriodSeconds', 'int'],
  6: ['dnsPolicy', 'string'],
  7: ['nodeSelector', 'strings'],
  8: ['serviceAccountName', 'string'],
  9: ['serviceAccount', 'string'],
  14: ['securityContext', { 0: strict }],
  19: ['schedulerName', 'string'],
  22: ['tolerations', toleration, 'list'],
}
const template: Message = { 1: ['metadata', meta], 2: ['spec', podSpec] }
const jobSpec: Message = {
  0: strict,
  1: ['parallelism', 'int'],
  2: ['completions', 'int'],
  3: ['activeDeadlineSeconds', 'int'],
  4: ['selector', selector],
  5: ['manualSelector', 'bool'],
  6: ['template', template],
  7: ['backoffLimit', 'int'],
  8: ['ttlSecondsAfterFinished', 'int'],
  9: ['completionMode', 'string'],
  10: ['suspend', 'bool'],
  14: ['podReplacementPolicy', 'string'],
}
const cronSpec: Message = {
  0: strict,
  1: ['schedule', 'string'],
  2: ['startingDeadlineSeconds', 'int'],
  3: ['concurrencyPolicy', 'string'],
  4: ['suspend', 'bool'],
  5: ['jobTemplate', { 1: ['metadata', meta], 2: ['spec', jobSpec] }],
  6: ['successfulJobsHistoryLimit', 'int'],
  7: ['failedJobsHistoryLimit', 'int'],
  8: ['timeZone', 'string'],
}
const attributes: Message = {
  1: ['namespace', 'string'],
  2: ['verb', 'string'],
  3: ['group', 'string'],
  4: ['version', 'string'],
  5: ['resource', 'string'],
  6: ['subresource', 'string'],
  7: ['name', 'string'],
}
const access: Message = {
  1: ['resourceAttributes', attributes],
  2: ['nonResourceAttributes', { 1: ['path', 'string'], 2: ['verb', 'string'] }],
}
const disruption: Message = {
  1: ['minAvailable', 'intOrString'],
  2: ['selector', selector],
  3: ['maxUnavailable', 'intOrString'],
  4: ['unhealthyPodEvictionPolicy', 'string'],
}
const of = (spec: Message): Message => ({ 1: ['metadata', meta], 2: ['spec', spec] })

export const kinds: Record<string, Message> = {
  Namespace: of({ 1: ['finalizers', 'string', 'list'] }),
  ConfigMap: { 1: ['metadata', meta], 2: ['data', 'strings'], 3: ['binaryData', 'bytesMap'], 4: ['immutable', 'bool'] },
  Secret: {
    1: ['metadata', meta],
    2: ['data', 'bytesMap'],
    3: ['type', 'string'],
    4: ['stringData', 'strings'],
    5: ['immutable', 'bool'],
  },
  ServiceAccount: { 1: ['metadata', meta], 3: ['imagePullSecrets', local, 'list'] },
  Scale: of({ 1: ['replicas', 'int'] }),
  Job: of(jobSpec),
  CronJob: of(cronSpec),
  PodDisruptionBudget: of(disruption),
  ResourceQuota: of({ 0: strict, 1: ['hard', 'quantities'] }),
  Role: { 1: ['metadata', meta], 2: ['rules', rule, 'list'] },
  ClusterRole: { 0: strict, 1: ['metadata', meta], 2: ['rules', rule, 'list'] },
  RoleBinding: binding,
  ClusterRoleBinding: binding,
  SelfSubjectAccessReview: of(access),
  SelfSubjectRulesReview: of({ 1: ['namespace', 'string'] }),
  SelfSubjectReview: { 1: ['metadata', meta] },
  TokenRequest: of({ 1: ['audiences', 'string', 'list'], 4: ['expirationSeconds', 'int'] }),
  DeleteOptions: {
    1: ['gracePeriodSeconds', 'int'],
    2: ['preconditions', { 1: ['uid', 'string'], 2: ['resourceVersion', 'string'] }],
    3: ['orphanDependents', 'bool'],
    4: ['propagationPolicy', 'string'],
    5: ['dryRun', 'string', 'list'],
  },
}
