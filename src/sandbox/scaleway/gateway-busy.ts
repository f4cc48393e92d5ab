import { transient } from './answer.ts'
import type { Gateway } from './records.ts'

/** A gateway takes one change at a time. */
export const refuseBusy = ({ id, status }: Gateway) => {
  if (status !== 'running' && status !== 'failed') throw transient('gateway', id, status)
}
