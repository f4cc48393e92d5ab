import type { UfwOutgoing } from './ufw-outgoing.ts'
import type { UfwRule } from './ufw-rules.ts'

export type UfwDefaults = { incoming: UfwPolicy; outgoing: UfwPolicy; routed: UfwPolicy }
export type UfwPolicy = 'allow' | 'deny' | 'reject'
export type UfwTask = {
  task: 'ufw'
  /** In order: the rule that lets us in first. */
  rules: UfwRule[]
  defaults: UfwDefaults
  /** What a process of one user may call, were it taken over; absent: whatever `defaults` say. */
  outgoing?: UfwOutgoing
  logging?: 'off' | 'low' | 'medium' | 'high' | 'full'
  enabled: true
  /** How long the host waits for a new login before it takes the change back. */
  confirmSeconds?: number
}
