import { callsOut } from '../allowlist/old-ways.ts'
import type { Check } from './finding.ts'

/** Pods that nobody moves keep old entries in a partner's list: better known before than at the end. */
export const partnerList: Check = ({ namespace, pods, moving, wishes: { entries = [] } }) => {
  const { label } = moving[0]?.want ?? {}
  if (entries.length === 0 || !label) return []
  const known = new Set(moving.flatMap(it => [...it.current, ...it.old]).map(it => it.metadata.uid))
  const others = pods.filter(
    it => callsOut(it) && it.metadata.labels?.[label.key] !== label.value && !known.has(it.metadata.uid),
  )
  if (others.length === 0) return []
  const names = others.slice(0, 3).map(it => it.metadata.name)
  return [
    {
      level: 'note',
      workload: namespace,
      what: `${entries.join(', ')} would stay in the partner's list`,
      why: `no workload that moves has ${names.join(', ')}${others.length > 3 ? ` and ${others.length - 3} more` : ''}`,
      next: 'move them too, end them, or say otherPods: ignore in externalAllowlist',
    },
  ]
}
