import { EGRESS_LABEL } from '../manifests.ts'
import type { ObjectId } from '../object.ts'
import { type Admission, admission, refuses, rule, variable } from './policy.ts'

const label = (of: string): string => `${of}.?metadata.?labels[?'${EGRESS_LABEL.key}'].orValue('')`

/** Where each kind has the labels of its pods. A Job's template cannot change. */
const template = (of: string): string =>
  `request.kind.kind == 'Pod' ? ${of} : request.kind.kind == 'CronJob' ? ${of}.spec.jobTemplate.spec.template : ${of}.spec.template`

/**
 * What has moved keeps its label unless a run of ours is under way: one holds the Lease, which the API server looks up
 * at each such write. Adding the label, and deleting what has it, stay free.
 */
export const labelPolicy = (namespace: string, lease: ObjectId): Admission =>
  admission(
    `kapsule-egress-label-${namespace}`,
    namespace,
    {
      paramKind: { apiVersion: lease.apiVersion, kind: lease.kind },
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
            "params.?spec.?holderIdentity.orValue('') != ''",
          ].join(' || '),
        ),
      ],
    },
    // Without a Lease nobody could tell, and every write to a workload would be refused.
    { paramRef: { name: lease.name, namespace: lease.namespace ?? '', parameterNotFoundAction: 'Allow' } },
  )
