import type { Json } from '../../engine/json.ts'
import { MANAGER } from '../kube/kube.ts'
import type { KubeObject } from '../kube/object.ts'
import { EGRESS_LABEL } from '../manifests.ts'
import { MANAGED_BY } from '../tenancy.ts'
import { NAMES } from './in-cluster.ts'
import { OPEN } from './open-proxy.ts'
import type { Ground } from './rule.ts'

export const API = 'admissionregistration.k8s.io/v1'

/** A policy and what binds it. Both are of the cluster, so their name says whose they are. */
export type Admission = { policy: KubeObject; binding: KubeObject }

/**
 * The rules of guard.ts for the API server of a cluster, in CEL: what is forbidden does not get into the namespace.
 * What is there already may stay as it is. @see docs/rollouts.md for what it does not see
 */
export const guardPolicy = (namespace: string, ground: Required<Ground>): Admission =>
  admission(`kapsule-egress-guard-${namespace}`, namespace, {
    matchConstraints: {
      resourceRules: [
        rule('', ['pods', 'pods/ephemeralcontainers', 'configmaps']),
        rule('apps', ['deployments', 'statefulsets', 'daemonsets', 'replicasets']),
        rule('batch', ['cronjobs', 'jobs']),
      ],
    },
    matchConditions: [
      // Finalizers of what was there before must still come off.
      {
        name: 'new-or-changed',
        expression: [
          "request.operation == 'CREATE'",
          "request.kind.kind == 'ConfigMap'",
          'object.spec != oldObject.spec',
          'object.metadata.?labels.orValue({}) != oldObject.metadata.?labels.orValue({})',
        ].join(' || '),
      },
    ],
    variables: [
      variable('labels', 'object.metadata.?labels.orValue({})'),
      variable(
        'template',
        `request.kind.kind == 'ConfigMap' ? {'spec': {}} : request.kind.kind == 'Pod' ? object : request.kind.kind == 'CronJob' ? object.spec.jobTemplate.spec.template : object.spec.template`,
      ),
      variable('spec', 'variables.template.spec'),
      variable(
        'containers',
        ['containers', 'initContainers', 'ephemeralContainers']
          .map(it => `variables.spec.?${it}.orValue([])`)
          .join(' + '),
      ),
      variable('ours', `variables.labels[?'${MANAGED_BY}'].orValue('') == '${MANAGER}'`),
      variable(
        'moved',
        `variables.template.?metadata.?labels[?'${EGRESS_LABEL.key}'].orValue('') == '${EGRESS_LABEL.value}'`,
      ),
    ],
    validations: validations(ground),
  })

const validations = ({ inside, proxies }: Required<Ground>) => [
  refuses(
    "its node's network is forbidden for egress: no NetworkPolicy sees its pods",
    '!(variables.ours || variables.moved) || !variables.spec.?hostNetwork.orValue(false)',
  ),
  refuses('a DaemonSet is forbidden for egress', "request.kind.kind != 'DaemonSet' || !variables.ours"),
  refuses(
    'privileged containers are forbidden: they can change the routes and the firewall of their node',
    'variables.containers.all(it, !it.?securityContext.?privileged.orValue(false))',
  ),
  refuses(
    'NET_ADMIN is forbidden: it can go round what a network policy says',
    `variables.containers.all(it, it.?securityContext.?capabilities.?add.orValue([]).all(add, !add.matches('^([Cc][Aa][Pp]_)?([Nn][Ee][Tt]_[Aa][Dd][Mm][Ii][Nn]|[Aa][Ll][Ll])$')))`,
  ),
  refuses(
    'a hostPath that is mounted writable is forbidden: mount it readOnly',
    [
      'variables.spec.?volumes.orValue([]).filter(volume, has(volume.hostPath)).all(volume,',
      'variables.containers.all(it, it.?volumeMounts.orValue([]).all(on,',
      'on.name != volume.name || on.?readOnly.orValue(false))))',
    ].join(' '),
  ),
  refuses(
    `a proxy needs NO_PROXY and no_proxy to have ${[...NAMES, ...inside].join(', ')}, in these words`,
    [
      'variables.containers.all(it,',
      `!it.?env.orValue([]).exists(one, one.name.lowerAscii() in ['http_proxy', 'https_proxy', 'all_proxy']`,
      `&& one.?value.orValue('').matches(${text(`^([a-z]+://)?(${proxies.map(quoted).join('|')})(:[0-9]+)?/?$`)}))`,
      `|| (it.env.exists(one, one.name.lowerAscii() == 'no_proxy')`,
      `&& it.env.filter(one, one.name.lowerAscii() == 'no_proxy').all(one, one.?valueFrom.hasValue() ||`,
      `${list([...NAMES, ...inside])}.all(word, one.?value.orValue('').split(',').exists(part,`,
      `part.trim() == word || part.trim() == '*' || '.' + part.trim() == word || part.trim() == '*' + word)))))`,
    ].join(' '),
  ),
  refuses(
    'http_access allow all is forbidden: whoever reaches such a proxy leaves by it',
    // The other kinds have no data, which a server that checks types would warn of.
    `request.kind.kind != 'ConfigMap' || dyn(object).?data.orValue({}).all(key, !dyn(object).data[key].matches(${text(OPEN.source)}))`,
  ),
]

/** Bound to one namespace, by the label that the API server itself puts on it. */
export const admission = (
  name: string,
  namespace: string,
  spec: { matchConstraints: { resourceRules: Json[] } } & Record<string, Json>,
): Admission => {
  const metadata = { name, labels: { [MANAGED_BY]: MANAGER } }
  const matchResources = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } }
  return {
    policy: {
      ...{ apiVersion: API, kind: 'ValidatingAdmissionPolicy', metadata },
      spec: { failurePolicy: 'Fail', ...spec },
    },
    binding: {
      ...{ apiVersion: API, kind: 'ValidatingAdmissionPolicyBinding', metadata },
      spec: { policyName: name, validationActions: ['Deny'], matchResources },
    },
  }
}

export const rule = (group: string, resources: string[], operations = ['CREATE', 'UPDATE']): Json => ({
  ...{ apiGroups: [group], apiVersions: ['v1'] },
  // As the API server itself would put it: what it adds to a list would look like drift.
  ...{ operations, resources, scope: '*' },
})

export const variable = (name: string, expression: string): Json => ({ name, expression })

export const refuses = (message: string, expression: string): Json => ({
  message: `kapsule-egress: ${message}`,
  expression,
  reason: 'Forbidden',
})

/** Raw text in CEL: backslashes are what they are. Addresses and our own expressions have no quotes. */
const text = (it: string): string => `r'${it}'`
const list = (all: readonly string[]): string => `[${all.map(it => `'${it}'`).join(', ')}]`
const quoted = (it: string): string => it.replaceAll('.', '[.]')
