import { z } from 'zod'

/** What an operator may know better; the rest cannot work, whoever accepts it. A test holds this to the checks. */
export const acceptable = [
  'baseline',
  'standstill',
  'outage',
  'budget',
  'quota',
  'room',
  'label',
  'policies',
  'variables',
] as const

export const preflight = z
  .strictObject({
    accept: z.array(z.enum(acceptable)).min(1).describe('what of this stands in the way is told and stops nothing'),
  })
  .describe('what is looked at before anything moves')

export const ownership = z
  .enum(['refuse', 'patch'])
  .optional()
  .describe('patch: workloads that Flux, Helm, Argo CD or an operator makes are moved all the same; absent: refuse')
