import { randomBytes } from 'node:crypto'
import type { KubeObject } from './kube/object.ts'

/** Whom an Event is about. */
type About = { apiVersion: string; kind: string; namespace: string; name: string; uid?: string | undefined }

/** An Event as `kubectl describe` shows it below an object. `run`: who says so. */
export const eventOn = (
  { apiVersion, kind, namespace, name, uid }: About,
  { reason, note, run, now = new Date() }: { reason: string; note: string; run: string; now?: Date },
): KubeObject => ({
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name: `${name.slice(0, 200)}.${randomBytes(8).toString('hex')}`, namespace },
  eventTime: now.toISOString().replace('Z', '000Z'),
  reportingController: 'kapsule-egress',
  reportingInstance: run.slice(0, 128),
  action: 'Rollout',
  reason,
  regarding: { apiVersion, kind, namespace, name, ...(uid && { uid }) },
  note: note.slice(0, 1024),
  type: 'Normal',
})
