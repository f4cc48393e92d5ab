import { z } from 'zod'
import { secret } from './schema-gates.ts'
import { name } from './words.ts'

/** How rollouts of a context go, over its tenants. */
export const rollout = z
  .strictObject({
    order: z.array(name).min(1).optional().describe('tenants that go first, in this order; the others follow'),
    maxTenants: z
      .int()
      .min(1)
      .max(999)
      .optional()
      .describe('so many tenants at most move side by side, each to its end; absent: all'),
    notify: z
      .strictObject({
        webhook: z.strictObject({ url: secret.describe('where the address is: who knows it may write there') }),
      })
      .optional()
      .describe('who hears of phases that begin, pass, fail, pause and are taken back: JSON by POST'),
  })
  .describe('how rollouts go, over tenants')
