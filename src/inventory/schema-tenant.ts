import { z } from 'zod'
import { externalAllowlist } from './schema-allowlist.ts'
import { otherZone, pool, protect } from './schema-cloud.ts'
import { builtIn, gates, inconclusive, tenantVerify } from './schema-gates.ts'
import { allow, deny, limits } from './schema-policy.ts'
import { ownership, preflight } from './schema-preflight.ts'
import { address4, cidr, duration, name, path, port, vars } from './words.ts'

const kind = z.enum(['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob', 'Job', 'Pod'])
const objectName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/,
    'a name of an object in a cluster is lower-case letters, digits, - and .',
  )
const workload = z.strictObject({ kind, name: objectName })

const selector = z.strictObject({
  labels: z.record(z.string().min(1), z.string()).optional().describe('all of these; absent: every workload there'),
  kinds: z.array(kind).min(1).default(['Deployment', 'StatefulSet']),
})

const clientCertificates = z.strictObject({
  ca: path.describe('a PEM file of the CAs that give clients their certificates, from the root of the repository'),
  crl: path.optional().describe('a PEM file of what they have revoked; once it is overdue nobody gets in'),
  names: z
    .array(
      z
        .string()
        .regex(
          /^(\w[\w.@-]*|(\/[A-Za-z]+=[\w.@-]+)*\/CN=[\w.@-]+(\/[A-Za-z]+=[\w.@-]+)*)$/,
          'a name is that of a certificate with nothing else in its subject, or a whole subject like /O=bank/CN=client-a',
        ),
    )
    .min(1)
    .optional()
    .describe('whose certificates are taken; absent: the one that is named like the tenant'),
  secret: name.describe("the Secret in the tenant's namespace that holds the pods' tls.crt and tls.key"),
})

const proxy = z.strictObject({
  name,
  existing: z
    .strictObject({
      host: z.string().min(1).describe("its name in the context's hosts"),
      publicIp: address4.describe('the address it leaves with'),
    })
    .optional()
    .describe('a machine that exists already, in the private network: configured, never made or deleted'),
  type: z.string().min(1).optional().describe('of the server that is made'),
  image: z.string().min(1).optional(),
  rootVolumeGb: z.int().min(10).max(10000).optional().describe('absent: 10; used when it is made'),
  privateIp: address4,
  port: port.default(3128).describe('where it listens for this tenant; tenants on one proxy have one each'),
  flexibleIp: name
    .optional()
    .describe('a name for the public address this tenant leaves with; absent: the one of the proxy itself'),
  zone: otherZone,
  protect,
})

const gateway = z.strictObject({
  image: z
    .string()
    .regex(/^[a-z0-9][\w.:/@-]*$/, 'an image is like registry.example/squid:6@sha256:...')
    .optional()
    .describe("has Squid 5 or later, sh and Perl, as Debian and Ubuntu package them; absent: Canonical's, by digest"),
  replicas: z.int().min(1).max(10).optional().describe('absent: 2'),
  pool: name.optional().describe("whose nodes it runs on; absent: the tenant's own"),
  port: z.int().min(1024).max(65535).optional().describe('absent: 3128'),
  publicIp: address4.optional().describe('the address that these nodes leave with; absent: that of the Public Gateway'),
})

/** inventory/<context>/tenants/<tenant>.yaml */
export const tenantSchema = z.strictObject({
  tenant: name,
  namespace: name,
  groups: z.array(name).optional().describe('declared in context.yaml'),
  vars: vars.optional().describe('for its host; templates read them as vars'),
  pool,
  egress: z.strictObject({
    via: z.enum(['proxy-vm', 'gateway-pod']).default('proxy-vm'),
    proxy: proxy.optional().describe('one proxy, which pods reach by its address'),
    proxies: z
      .array(proxy)
      .min(1)
      .max(8)
      .optional()
      .describe('several, which pods reach through one Service; the first is "the" proxy of the outputs'),
    gateway: gateway.optional().describe('of via: gateway-pod'),
    clients: z
      .array(cidr)
      .min(1)
      .optional()
      .describe(
        'where its requests come from; absent: the private network, or on a shared proxy the nodes of its pool',
      ),
    mode: z.enum(['enforce', 'report']).default('enforce'),
    sni: z
      .enum(['off', 'verify'])
      .default('off')
      .describe('verify: the name in the TLS of a tunnel must be the one that was asked for; nothing is decrypted'),
    clientCertificates: clientCertificates
      .optional()
      .describe('its port takes TLS alone, and only clients with a certificate of its own'),
    allow,
    deny: deny.optional(),
    limits: limits.optional(),
  }),
  workloads: z
    .array(workload.extend({ demo: z.strictObject({ replicas: z.int().min(1).max(50).default(1) }).optional() }))
    .optional()
    .describe('what moves; with demo, kapsule-egress makes it'),
  selectors: z
    .array(selector)
    .min(1)
    .optional()
    .describe('what moves besides, by what the cluster has: found anew in each run, and moved after the workloads'),
  verify: tenantVerify.optional(),
  rollout: z.strictObject({
    canary: workload,
    // biome-ignore lint/suspicious/noThenProperty: the word of the inventory; nothing awaits a schema
    then: z
      .strictObject({
        batches: z
          .array(
            z.union(
              [z.string().regex(/^(\d{1,3}%|[1-9]\d{0,3})$/), z.int().min(1).max(9999)],
              'a batch is a percentage like 25%, or a number of workloads like 3',
            ),
          )
          .min(1)
          .default(['100%']),
        soak: duration.default('0s'),
        pause: z
          .union([z.enum(['none', 'promote']), duration], 'a pause is none, promote, or a time like 10m')
          .default('none')
          .describe('before each phase after the canary: so long, or until --promote'),
        maxUnverified: z
          .int()
          .min(1)
          .max(9999)
          .optional()
          .describe('so many workloads at most have moved and not passed their gates; absent: a batch'),
      })
      .prefault({}),
    inconclusive: inconclusive.optional(),
    ownership,
    preflight: preflight.optional(),
    builtIn: builtIn.optional(),
    gates: gates.optional(),
    externalAllowlist: externalAllowlist.optional(),
  }),
})

export type TenantFile = z.output<typeof tenantSchema>
