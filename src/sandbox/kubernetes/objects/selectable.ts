import type { Resource } from './resources.ts'

const always = ['metadata.name', 'metadata.namespace']

/** What objects of a kind can be selected by, besides name and namespace. */
const more: Record<string, string[]> = {
  Pod: [
    ...['spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'spec.serviceAccountName', 'spec.hostNetwork'],
    ...['status.phase', 'status.podIP', 'status.podIPs', 'status.nominatedNodeName'],
  ],
  Event: [
    ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
      it => `involvedObject.${it}`,
    ),
    ...['reason', 'reportingComponent', 'source', 'type'],
  ],
  Node: ['spec.unschedulable'],
  Secret: ['type'],
  Namespace: ['status.phase'],
  Service: ['spec.clusterIP', 'spec.type'],
  ReplicaSet: ['status.replicas'],
  Job: ['status.successful'],
}

/** Null: it may be asked for; else why not, in the real one's words. */
export const cannotSelect = (of: Resource, field: string): string | null => {
  const known = more[of.kind]
  if (always.includes(field) || known?.includes(field)) return null
  return known
    ? `field label not supported: ${field}`
    : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`
}
