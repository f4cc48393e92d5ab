import { z } from 'zod'
import { duration, path, place, url } from './words.ts'

/** The words of Argo Rollouts' analysis, with its meaning. What they come to is decided in src/rollout/gates/measure.ts. */
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
  'the policy holds a pod with the label',
  'pods ready and not restarting',
  "egress address is the tenant's own",
  'an allowed destination answers',
  'the partner lets it in',
  'direct access is blocked',
  'a forbidden destination is refused and logged',
  'DNS and in-cluster traffic work',
  'no program goes past the proxy',
] as const

export const builtIn = z
  .partialRecord(z.enum(builtInNames), z.strictObject(limitWords))
  .describe('other limits for the gates that every rollout has')

/** An address without a secret in it. */
export const open = url.refine(it => !/\/\/[^/]*@/.test(it), 'no user and password here: it is shown and logged')

export const secret = z
  .strictObject({
    env: z.string().min(1).optional().describe('the name of a variable'),
    file: path.optional().describe('absolute'),
  })
  .refine(it => (it.env === undefined) !== (it.file === undefined), 'either env or file')
  .describe('where the secret is, never the secret')

const condition = z
  .string()
  .regex(/^\s*result\s*(<=|>=|==|!=|<|>)\s*-?\d+(\.\d+)?(e-?\d+)?\s*$/i, 'a condition is like: result < 0.05')

/** Gates of a tenant's own. That there is exactly one of http, tcp, prometheus, command and log is checked apart. */
export const gates = z
  .array(
    z.strictObject({
      name: z.string().min(1).max(80),
      http: open.optional().describe('answers GET with one of `status`'),
      status: z.array(z.int().min(100).max(599)).min(1).optional().describe('of http; absent: [200]'),
      tcp: place.optional().describe('takes a connection, which does not go by the proxy'),
      from: z.enum(['pod', 'here']).optional().describe('of http and tcp: every pod (absent), or this machine'),
      prometheus: z
        .strictObject({
          server: open,
          query: z.string().min(1).describe('may hold {{tenant}}, {{namespace}} and {{workload}}'),
          pass: condition.optional(),
          fail: condition.optional(),
          token: secret.optional(),
        })
        .refine(it => it.pass !== undefined || it.fail !== undefined, 'a query needs pass, fail or both')
        .optional(),
      command: z
        .array(z.string().min(1))
        .min(1)
        .optional()
        .describe('on this machine: exit 0 passes, 75 is inconclusive, all else fails'),
      env: z
        .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of a variable, never its value'))
        .optional()
        .describe('of a command: variables that it gets besides PATH, HOME and EGRESS_*'),
      timeout: duration.optional().describe('of a command; absent: 30s'),
      log: z
        .strictObject({
          contains: z.string().min(1).optional(),
          absent: z.string().min(1).optional(),
          container: z.string().min(1).optional().describe('absent: the first'),
        })
        .refine(it => it.contains !== undefined || it.absent !== undefined, 'a log gate needs contains or absent')
        .optional(),
      ...limitWords,
    }),
  )
  .max(50)
  .describe('asked after the gates that every rollout has: after a workload has moved, and after a soak')

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
