import type { Rule } from './rule.ts'

/** A tenant's own DaemonSet may be, and may move; what carries others' traffic stands on nodes that it was given. */
export const daemonSetForEgress: Rule = {
  what: 'a DaemonSet for egress',
  next: 'use a Deployment that is pinned by nodeSelector, or a proxy outside the cluster',
  look: ({ object, ours }) =>
    object.kind === 'DaemonSet' && ours ? ['it would stand on every node at once, and fail on every node at once'] : [],
}
