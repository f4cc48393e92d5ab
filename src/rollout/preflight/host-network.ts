import type { Check } from './finding.ts'

/** No NetworkPolicy sees pods on their nodes' network, and no label moves them. */
export const hostNetwork: Check = ({ moving }) =>
  moving
    .filter(it => it.template.spec.hostNetwork === true)
    .map(({ name }) => ({
      level: 'stop',
      workload: name,
      what: 'its pods use the network of their nodes',
      why: 'no NetworkPolicy sees them and no label moves them',
      next: 'take it out of the tenant file, or give its pods a network of their own (hostNetwork: false)',
    }))
