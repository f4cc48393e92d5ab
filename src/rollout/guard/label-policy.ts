import { MANAGER } from '../kube/kube.ts'
import { EGRESS_LABEL } from '../manifests.ts'
import { type Admission, admission, refuses, rule, variable } from './policy.ts'

const label = (of: string): string => `${of}.?metadata.?labels[?'${EGRESS_LABEL.key}'].orValue('')`

/** Where each kind has the labels of its pods. A Job's template cannot change. */
const template = (of: string): string =>
  `request.kind.kind == 'Pod' ? ${of} : request.kind.kind == 'CronJob' ? ${of}.spec.jobTemplate.spec.template : ${of}.spec.template`

/**
 * What has moved keeps its label against every write but one of ours, which says so by its field manager. Adding the
 * label, and deleting what has it, stay free. No parameters: a server may go by old ones. @see kubernetes#130887
 */
export const labelPolicy = (namespace: string): Admission =>
  admission(`kapsule-egress-label-${namespace}`, namespace, {
    matchConstraints: {
      resourceRules: [
        rule('', ['pods'], ['UPDATE']),
        rule('apps', ['deployments', 'statefulsets', 'daemonsets', 'replicasets'], ['UPDATE']),
        rule('batch', ['cronjobs'], ['UPDATE']),
      ],
    },
    variables: [variable('before', template('oldObject')), variable('after', template('object'))],
    validations: [
      refuses(
        `the label ${EGRESS_LABEL.key}=${EGRESS_LABEL.value} comes off by scripts/rollback.ts alone`,
        [
          `${label('variables.before')} != '${EGRESS_LABEL.value}'`,
          `${label('variables.after')} == '${EGRESS_LABEL.value}'`,
          `request.?options.?fieldManager.orValue('') == '${MANAGER}'`,
        ].join(' || '),
      ),
    ],
  })
