import type { Loose } from '../objects/object.ts'
import { same } from '../objects/object.ts'
import { forbidden } from '../objects/status.ts'
import type { Review } from './admission-match.ts'
import { checks } from './pod-security-checks.ts'

const LABEL = 'pod-security.kubernetes.io/'

/**
 * The level of pod security that a namespace's labels ask for: pods that violate it are refused, of workloads the client
 * is warned where `warn` says so. Versions of a level are taken as the latest; nothing is audited.
 */
export const checkPodSecurity = (
  { of, operation, sub, object, before, namespace }: Review,
  warn: (text: string) => void,
): void => {
  if (!object || operation === 'DELETE' || (sub && sub !== 'ephemeralcontainers')) return
  const spec = podSpecIn(object)
  // A pod that runs can be given labels and the like: what it may do stays.
  if (!spec || (before && of.kind === 'Pod' && same(before.spec, spec))) return
  const labels = namespace?.metadata.labels ?? {}
  const told = (mode: string): string | null => {
    const level = labels[`${LABEL}${mode}`] ?? 'privileged'
    const wrong = (checks[level] ?? []).flatMap(({ reason, says }) => {
      const said = says(spec)
      return said === null ? [] : [`${reason} (${said})`]
    })
    return wrong.length > 0
      ? `violate PodSecurity "${level}:${labels[`${LABEL}${mode}-version`] ?? 'latest'}": ${wrong.join(', ')}`
      : null
  }
  const refused = of.kind === 'Pod' ? told('enforce') : null
  if (refused) throw forbidden(of, object!.metadata.name, refused.replace('violate', 'violates'))
  const warned = told('warn')
  if (warned) warn(`would ${warned}`)
}

const podSpecIn = ({ kind, spec }: Loose): Loose | undefined =>
  kind === 'Pod' ? spec : (spec?.jobTemplate?.spec?.template?.spec ?? spec?.template?.spec)
