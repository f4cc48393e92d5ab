import * as assert from 'uvu/assert'
import type { Loose } from '../../src/sandbox/kubernetes/objects/object.ts'
import { suite } from '../support/suite.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { deployment, IMAGE, pod } from './objects.ts'

const { test, before, after } = suite('cluster: levels of pod security')
let strict: Cluster
let plain: Cluster
const label = (mode: string, level: string) => ({ [`pod-security.kubernetes.io/${mode}`]: level })
before(async () => {
  strict = await openCluster('strict', { ...label('enforce', 'restricted'), ...label('warn', 'baseline') })
  plain = await openCluster('plain', label('enforce', 'baseline'))
})
after(async () => {
  await strict?.close()
  await plain?.close()
})

const nowhere = { nodeSelector: { 'egress-test/never': 'yes' } }
const held = {
  ...{ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, runAsNonRoot: true },
  seccompProfile: { type: 'RuntimeDefault' },
}
const container = (securityContext: Loose = held, more: Loose = {}) => ({
  name: 'main',
  image: IMAGE,
  securityContext,
  ...more,
})
/** `says`: why a pod like that is refused; absent: it is let in. */
const judged = async (cluster: Cluster, level: string, spec: Loose, says?: string) => {
  const path = `${cluster.path('v1', 'pods')}?dryRun=All`
  const { code, body } = await cluster.call('POST', path, pod('p', { ...nowhere, ...spec }))
  const refused = `pods "p" is forbidden: violates PodSecurity "${level}:latest": ${says}`
  assert.equal([code, body.message], says ? [403, refused] : [201, undefined])
}

const main = 'container "main"'
for (const { when, spec, says } of [
  {
    when: 'nothing said',
    spec: {},
    says: `allowPrivilegeEscalation != false (${main} must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (${main} must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or ${main} must set securityContext.runAsNonRoot=true), seccompProfile (pod or ${main} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`,
  },
  { when: 'all said', spec: { containers: [container()] } },
  {
    when: 'root by number',
    spec: { containers: [container({ ...held, runAsUser: 0 })] },
    says: `runAsUser=0 (${main} must not set runAsUser=0)`,
  },
  {
    when: 'the pod says it for its containers',
    spec: {
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [container({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } })],
    },
  },
  {
    when: 'a volume of the node',
    spec: { containers: [container()], volumes: [{ name: 'host', hostPath: { path: '/tmp' } }] },
    says: 'restricted volume types (volume "host" uses restricted volume type "hostPath")',
  },
  {
    when: 'two containers, an init container among them',
    spec: {
      initContainers: [container({ ...held, allowPrivilegeEscalation: true }, { name: 'first' })],
      containers: [container({ ...held, capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } })],
    },
    says: `allowPrivilegeEscalation != false (container "first" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (${main} must not include "NET_ADMIN" in securityContext.capabilities.add)`,
  },
] as { when: string; spec: Loose; says?: string }[])
  test(`restricted: ${when}`, () => judged(strict, 'restricted', spec, says))

for (const { when, spec, says } of [
  { when: 'nothing said', spec: {} },
  { when: 'root', spec: { containers: [container({ runAsUser: 0 })] } },
  {
    when: 'the network and the processes of the node',
    spec: { hostNetwork: true, hostPID: true },
    says: 'host namespaces (hostNetwork=true, hostPID=true)',
  },
  {
    when: 'privileged, and a volume and a port of the node',
    spec: {
      containers: [container({ privileged: true }, { ports: [{ containerPort: 80, hostPort: 8080 }] })],
      volumes: [
        { name: 'a', hostPath: { path: '/a' } },
        { name: 'b', hostPath: { path: '/b' } },
      ],
    },
    says: `hostPath volumes (volumes "a", "b"), hostPort (${main} uses hostPort 8080), privileged (${main} must not set securityContext.privileged=true)`,
  },
  {
    when: 'capabilities that are not usual',
    spec: { containers: [container({ capabilities: { add: ['NET_RAW', 'NET_ADMIN', 'CHOWN'] } })] },
    says: `non-default capabilities (${main} must not include "NET_ADMIN", "NET_RAW" in securityContext.capabilities.add)`,
  },
  {
    when: 'no filter of system calls',
    spec: { securityContext: { seccompProfile: { type: 'Unconfined' } } },
    says: 'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
  },
] as { when: string; spec: Loose; says?: string }[])
  test(`baseline: ${when}`, () => judged(plain, 'baseline', spec, says))

test('a workload is warned of, and let in', async () => {
  const containers = [{ name: 'main', image: IMAGE, securityContext: { privileged: true } }]
  const made = await strict.call(
    'POST',
    `${strict.path('apps/v1', 'deployments')}?dryRun=All`,
    deployment('host', {}, { hostNetwork: true, containers }),
  )
  assert.is(made.code, 201)
  const says = `host namespaces (hostNetwork=true), privileged (${main} must not set securityContext.privileged=true)`
  assert.is(
    made.headers.get('warning'),
    `299 - "would violate PodSecurity \\"baseline:latest\\": ${says.replaceAll('"', '\\"')}"`,
  )
})

test('what was let in before a level was asked for takes labels still', async () => {
  assert.is((await plain.call('POST', plain.path('v1', 'pods'), pod('kept', nowhere))).code, 201)
  const namespace = `/api/v1/namespaces/${plain.namespace}`
  const asked = await plain.patch(namespace, 'merge', { metadata: { labels: label('enforce', 'restricted') } })
  assert.is(asked.code, 200)
  await judged(plain, 'restricted', { containers: [container()] })
  const labelled = await plain.patch(plain.path('v1', 'pods', 'kept'), 'merge', { metadata: { labels: { a: 'b' } } })
  assert.is(labelled.code, 200, labelled.body.message)
})
