import type { Loose } from '../objects/object.ts'

/**
 * What the Pod Security Standards ask of a pod, in the order and words of a real server.
 * `says`: null where the pod holds it.
 * @see https://kubernetes.io/docs/concepts/security/pod-security-standards/
 */
export type Check = { reason: string; says(spec: Loose): string | null }

type Part = { name: string; securityContext: Loose; ports: Loose[] }

const partsOf = (spec: Loose): Part[] =>
  [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])].map(it => ({
    name: it.name,
    securityContext: it.securityContext ?? {},
    ports: it.ports ?? [],
  }))

const quoted = (names: readonly string[]) => names.map(it => `"${it}"`).join(', ')
const called = (what: string, names: readonly string[]) => `${what}${names.length > 1 ? 's' : ''} ${quoted(names)}`

/** `container "a" must ...` of those whose part is wrong. */
const ofContainers = (spec: Loose, isWrong: (it: Loose) => boolean, must: string): string | null => {
  const names = partsOf(spec).flatMap(it => (isWrong(it.securityContext) ? [it.name] : []))
  return names.length > 0 ? `${called('container', names)} ${must}` : null
}

/** What a container has to have, unless the pod has it for all. */
const ofPodOr = (spec: Loose, isRight: (it: Loose) => boolean, isSet: (it: Loose) => boolean, must: string) => {
  if (isRight(spec.securityContext ?? {})) return ofContainers(spec, it => isSet(it) && !isRight(it), must)
  const names = partsOf(spec).flatMap(it => (isRight(it.securityContext) ? [] : [it.name]))
  return names.length > 0 ? `pod or ${called('container', names)} ${must}` : null
}

const usual = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(
    ' ',
  ),
)

/** Containers that add a capability outside of these, and which. */
const adding = (spec: Loose, allowed: (capability: string) => boolean): string | null => {
  const found = partsOf(spec).map(({ name, securityContext }) => ({
    name,
    wrong: ((securityContext.capabilities?.add ?? []) as string[]).filter(it => !allowed(it)),
  }))
  const names = found.flatMap(it => (it.wrong.length > 0 ? [it.name] : []))
  const wrong = [...new Set(found.flatMap(it => it.wrong))].sort()
  return names.length > 0
    ? `${called('container', names)} must not include ${quoted(wrong)} in securityContext.capabilities.add`
    : null
}

const joined = (...all: (string | null)[]): string | null => all.filter(it => it !== null).join('; ') || null

const capabilities: Check = {
  reason: 'non-default capabilities',
  says: spec => adding(spec, it => usual.has(it)),
}
const hostNamespaces: Check = {
  reason: 'host namespaces',
  says: spec =>
    ['hostNetwork', 'hostPID', 'hostIPC'].flatMap(it => (spec[it] ? [`${it}=true`] : [])).join(', ') || null,
}
const hostPathVolumes: Check = {
  reason: 'hostPath volumes',
  says(spec) {
    const names = (spec.volumes ?? []).flatMap((it: Loose) => (it.hostPath ? [it.name] : []))
    return names.length > 0 ? called('volume', names) : null
  },
}
const hostPorts: Check = {
  reason: 'hostPort',
  says(spec) {
    const found = partsOf(spec).map(it => ({ name: it.name, ports: it.ports.flatMap(its => its.hostPort || []) }))
    const using = found.filter(it => it.ports.length > 0)
    const ports = [...new Set(using.flatMap(it => it.ports))].sort((a, b) => a - b)
    const names = using.map(it => it.name)
    if (names.length === 0) return null
    return `${called('container', names)} ${names.length > 1 ? 'use' : 'uses'} hostPort${ports.length > 1 ? 's' : ''} ${ports.join(', ')}`
  },
}
const privileged: Check = {
  reason: 'privileged',
  says: spec => ofContainers(spec, it => it.privileged === true, 'must not set securityContext.privileged=true'),
}
const seccompUnconfined: Check = {
  reason: 'seccompProfile',
  says: spec =>
    joined(
      spec.securityContext?.seccompProfile?.type === 'Unconfined'
        ? 'pod must not set securityContext.seccompProfile.type to "Unconfined"'
        : null,
      ofContainers(
        spec,
        it => it.seccompProfile?.type === 'Unconfined',
        'must not set securityContext.seccompProfile.type to "Unconfined"',
      ),
    ),
}

const escalation: Check = {
  reason: 'allowPrivilegeEscalation != false',
  says: spec =>
    ofContainers(
      spec,
      it => it.allowPrivilegeEscalation !== false,
      'must set securityContext.allowPrivilegeEscalation=false',
    ),
}
const fewCapabilities: Check = {
  reason: 'unrestricted capabilities',
  says: spec =>
    joined(
      ofContainers(
        spec,
        it => !(it.capabilities?.drop ?? []).includes('ALL'),
        'must set securityContext.capabilities.drop=["ALL"]',
      ),
      adding(spec, it => it === 'NET_BIND_SERVICE'),
    ),
}
const known = 'configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret'.split(' ')
const fewVolumes: Check = {
  reason: 'restricted volume types',
  says(spec) {
    const wrong = (spec.volumes ?? []).flatMap((it: Loose) => {
      const type = Object.keys(it).find(key => key !== 'name')
      return type === undefined || known.includes(type) ? [] : [{ name: it.name as string, type }]
    }) as { name: string; type: string }[]
    if (wrong.length === 0) return null
    const types = [...new Set(wrong.map(it => it.type))].sort()
    const names = wrong.map(it => it.name)
    return `${called('volume', names)} ${names.length > 1 ? 'use' : 'uses'} restricted volume ${called('type', types)}`
  },
}
const nonRoot: Check = {
  reason: 'runAsNonRoot != true',
  says: spec =>
    joined(
      spec.securityContext?.runAsNonRoot === false ? 'pod must not set securityContext.runAsNonRoot=false' : null,
      ofContainers(spec, it => it.runAsNonRoot === false, 'must not set securityContext.runAsNonRoot=false'),
      ofPodOr(
        withoutFalse(spec),
        it => it.runAsNonRoot === true,
        () => false,
        'must set securityContext.runAsNonRoot=true',
      ),
    ),
}
/** Those that say no are told already. */
const withoutFalse = (spec: Loose): Loose => {
  const keep = (it: Loose) => it.securityContext?.runAsNonRoot !== false
  return {
    ...spec,
    initContainers: (spec.initContainers ?? []).filter(keep),
    containers: (spec.containers ?? []).filter(keep),
  }
}
const root: Check = {
  reason: 'runAsUser=0',
  says: spec =>
    joined(
      spec.securityContext?.runAsUser === 0 ? 'pod must not set runAsUser=0' : null,
      ofContainers(spec, it => it.runAsUser === 0, 'must not set runAsUser=0'),
    ),
}
const isConfined = (it: Loose) => ['RuntimeDefault', 'Localhost'].includes(it.seccompProfile?.type)
const seccomp: Check = {
  reason: 'seccompProfile',
  says: spec =>
    ofPodOr(
      spec,
      isConfined,
      it => it.seccompProfile?.type !== undefined,
      'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"',
    ),
}

/** By level. What a stricter check says a weaker one of the same need not. */
export const checks: Record<string, readonly Check[]> = {
  baseline: [capabilities, hostNamespaces, hostPathVolumes, hostPorts, privileged, seccompUnconfined],
  restricted: [escalation, fewCapabilities, hostNamespaces, hostPorts, privileged, fewVolumes, nonRoot, root, seccomp],
}
