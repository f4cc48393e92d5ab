import { appliedBy, holds } from '../kube/fields.ts'
import { MANAGER } from '../kube/kube.ts'
import { PROXY_FILES } from '../no-proxy.ts'
import type { Check, Finding } from './finding.ts'
import type { Moving } from './sight.ts'

/** Proxy variables that a workload has from somebody else, and pods that cannot be given any. */
export const variables: Check = ({ moving }) => moving.flatMap(it => (it.of.labelOnly ? unable(it) : takenBy(it)))

/** A pod that runs keeps its environment. */
const unable = ({ name, template, want }: Moving): Finding[] => {
  const names = new Set(want.env.map(it => it.name))
  const [first] = template.spec.containers
  if (want.files && !first?.volumeMounts?.some(it => it.mountPath === PROXY_FILES)) {
    const why = 'a pod that runs can be given no files, and the proxy lets in nobody without a certificate'
    const next = `make it anew with the directory ${PROXY_FILES} in it, or leave it out`
    return [{ level: 'stop', workload: name, what: 'it has no certificate', why, next, firm: true }]
  }
  if (first?.env?.some(it => names.has(it.name))) return []
  const why = 'a pod that runs can be given the label and no variables, and the policy lets it out by the proxy alone'
  const next = 'make it anew with the variables of ConfigMap egress-proxy in it, or leave it out'
  return [{ level: 'stop', workload: name, what: 'it does not know its proxy', why, next }]
}

/** Variables that somebody else has set, and differently. */
export const takenBy = (it: Moving): Finding[] => {
  const { name, template, want, workload, of } = it
  const ours = appliedBy(workload as unknown as Parameters<typeof appliedBy>[0], MANAGER)
  const wanted = new Map(want.env.map(it => [it.name, it.value]))
  const lists = (['initContainers', 'containers'] as const).flatMap(list =>
    (template.spec[list] ?? []).map(container => ({ list, container })),
  )
  const found = lists.flatMap(({ list, container }) =>
    (container.env ?? [])
      .filter(has => wanted.has(has.name) && (has.valueFrom !== undefined || has.value !== wanted.get(has.name)))
      .filter(has => {
        const path = [...of.templateAt.map(at => `f:${at}`), 'f:spec', `f:${list}`]
        const item = [
          `k:${JSON.stringify({ name: container.name })}`,
          'f:env',
          `k:${JSON.stringify({ name: has.name })}`,
        ]
        return !ours || !holds(ours, [...path, ...item])
      })
      .map(has => ({ ...has, container: container.name })),
  )
  if (found.length === 0) return []
  const secret = found.filter(has => /\/\/[^\s/@]+@/.test(JSON.stringify(has.value ?? '')))
  const names = (these: typeof found) => [...new Set(these.map(has => `${has.name} of ${has.container}`))].join(', ')
  if (secret.length > 0) {
    const why = `${names(secret)}: earlier values are written to the journal, and no secret may be`
    const next = 'give these by valueFrom a Secret, or take them out of its template'
    return [{ level: 'stop', workload: name, what: 'a proxy variable holds credentials', why, next }]
  }
  const why = `${names(found)}${found.some(has => has.valueFrom) ? ' (some by valueFrom)' : ''}, set by its owner`
  const next = 'take them out of its template: a rollout sets them'
  // Accepting does not help where the move itself would be refused: a field of somebody else is never taken.
  const firm = it.refused?.conflicts.some(({ field }) =>
    found.some(has => field.includes(`ontainers[name="${has.container}"].env[name="${has.name}"]`)),
  )
  return [{ level: 'stop', workload: name, what: 'it has another proxy', why, next, ...(firm && { firm }) }]
}
