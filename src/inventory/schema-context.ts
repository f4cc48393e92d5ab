import { z } from 'zod'
import { audit } from './schema-audit.ts'
import { cluster, gateway, network, protect, scaleway } from './schema-cloud.ts'
import { configure, hosts, ssh } from './schema-hosts.ts'
import { policy } from './schema-policy.ts'
import { rollout } from './schema-rollout.ts'
import { address4, cidr, name, url, vars } from './words.ts'

/** inventory/<context>/context.yaml */
export const contextSchema = z.strictObject({
  context: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9.-]{0,62}$/,
      'a context is lower-case letters, digits, dots and dashes, at most 63, like its folder',
    )
    .describe('the folder it stands in'),
  protect: protect.describe('true: everything of this context in the cloud is protected'),
  prepare: z
    .array(z.array(z.string().min(1)).min(1))
    .default([])
    .describe('commands run before each run, as lists of words'),
  scaleway,
  network,
  gateway,
  ssh,
  cluster,
  verify: z
    .strictObject({
      echo: z
        .array(url)
        .min(1)
        .optional()
        .describe('services that answer the address they see; every tenant must be allowed to reach them'),
      forbidden: url.default('http://egress-probe.invalid/'),
      probeImage: z
        .string()
        .min(1)
        .default('curlimages/curl:8.11.1')
        .describe('has curl and sleep; for pods of ours that try the policy, and stand in where an image has no curl'),
    })
    .prefault({}),
  policy: policy.optional().describe('what every tenant may reach, and what none may'),
  audit,
  configure,
  hosts,
  groups: z
    .record(
      name,
      z.strictObject({ children: z.array(name).optional().describe('groups inside it'), vars: vars.optional() }),
    )
    .optional()
    .describe('of tenants, which name theirs; for --limit and variables'),
  vars: vars.optional().describe('for every host; a group goes over it, and a tenant over both'),
  monitoring: z
    .strictObject({ allow: z.array(cidr).min(1).describe('where the monitoring asks from') })
    .optional()
    .describe('exporters and a watch on the proxies, and who may read them: ports 9100, 9301 and 9302'),
  rollout: rollout.optional(),
  dns: z.strictObject({ nameservers: z.array(address4).default([]) }).prefault({}),
})

export type ContextFile = z.output<typeof contextSchema>
