import { z } from 'zod'
import { duration, url } from './words.ts'

/** The words of Argo Rollouts' analysis, with its meaning. What they come to is decided in src/rollout/measure.ts. */
export const limitWords = {
  interval: duration.optional().describe('between measurements'),
  count: z.int().min(1).max(1000).optional().describe('measurements that pass or fail; others do not count'),
  initialDelay: duration.optional().describe('before the first'),
  failureLimit: z
    .int()
    .min(-1)
    .max(999)
    .optional()
    .describe('how many may fail; -1: only with consecutiveSuccessLimit'),
  consecutiveErrorLimit: z.int().min(0).max(999).optional().describe('how many in a row may not be measured at all'),
  consecutiveSuccessLimit: z.int().min(0).max(1000).optional().describe('so many passes in a row pass; 0: not asked'),
  inconclusiveLimit: z.int().min(0).max(999).optional().describe('how many may say neither'),
  dryRun: z.boolean().optional().describe('true: measured and told, guards nothing'),
}

/** The gates that every rollout has, by name. */
export const builtInNames = [
  'proxy answers with its fixed address',
  'pods ready and not restarting',
  "egress address is the tenant's own",
  'an allowed destination answers',
  'direct access is blocked',
  'a forbidden destination is refused and logged',
  'DNS and in-cluster traffic work',
  'no program goes past the proxy',
] as const

export const builtIn = z
  .partialRecord(z.enum(builtInNames), z.strictObject(limitWords))
  .describe('other limits for the gates that every rollout has')

export const inconclusive = z
  .strictObject({
    within: duration.default('10m').describe('so long it is asked again'),
    // biome-ignore lint/suspicious/noThenProperty: the word of the inventory; nothing awaits a schema
    then: z
      .enum(['rollback', 'ask'])
      .default('rollback')
      .describe('ask: the workloads stay as they are, and a person goes on or takes them back'),
  })
  .describe('what becomes of a gate that says neither yes nor no; absent: taken back at once')

export const tenantVerify = z.strictObject({
  allowed: z
    .array(url)
    .min(1)
    .max(20)
    .describe('asked with GET from inside every pod: allowed ones that answer without harm, e.g. a status page'),
})
