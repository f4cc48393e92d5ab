import { z } from 'zod'
import {
  address4,
  amount,
  cidr,
  cidr4,
  domain,
  duration,
  hostKey,
  name,
  path,
  port,
  region,
  url,
  vars,
  zone,
} from './words.ts'

const protect = z
  .boolean()
  .optional()
  .describe('true: a plan that would replace or delete it is refused, and so is destroy')

const existing = z
  .strictObject({ id: z.uuid().optional(), name: z.string().min(1).optional() })
  .describe('one that exists already, by id or by name: used, never changed or deleted')

const otherZone = zone.optional().describe('absent: scaleway.zone; another one of the same region')

const pool = z.strictObject({
  name,
  type: z.string().min(1).describe('node type, e.g. DEV1-M'),
  size: z.int().min(1).max(100).default(1),
  autoscaling: z
    .strictObject({ min: z.int().min(0).max(100), max: z.int().min(1).max(100) })
    .optional()
    .describe('size is then only what it starts with'),
  autohealing: z.boolean().optional().describe('nodes that fail are replaced; absent: yes'),
  rootVolumeGb: z.int().min(20).max(10000).optional().describe('absent: what is usual for the type'),
  zone: otherZone,
  protect,
})

/** What is waited for at Scaleway; the usual times stand beside the code that waits. */
const deadlines = z.strictObject({
  network: duration.optional(),
  address: duration.optional(),
  gateway: duration.optional(),
  gatewayNetwork: duration.optional(),
  securityGroup: duration.optional(),
  server: duration.optional(),
  privateNic: duration.optional(),
  volume: duration.optional(),
  cluster: duration.optional(),
  pool: duration.optional(),
})

const password = z.union(
  [z.strictObject({ env: z.string().regex(/^[A-Za-z_]\w*$/) }), z.strictObject({ file: path })],
  { error: 'a password is named, never written here: { env: VARIABLE } or { file: path }' },
)

const open = z.literal(true).optional().describe('yes, the whole internet may knock: allows 0.0.0.0/0')

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
  scaleway: z.strictObject({
    region,
    zone,
    config: path.optional().describe("a config file of Scaleway's tools; given here, the environment has no say"),
    profile: z.string().min(1).optional(),
    projectId: z.uuid().optional(),
    deadlines: deadlines.optional().describe('how long a wait may take before it is a failure, e.g. pool: 25m'),
  }),
  network: z.strictObject({
    vpc: z
      .union([name, z.strictObject({ existing })], {
        error: 'a VPC is a name, or { existing: { id: ... } } or { existing: { name: ... } }',
      })
      .optional()
      .describe('its name; may be left out when the private network exists already'),
    privateNetwork: z.strictObject({
      name: name.optional(),
      existing: existing.optional(),
      cidr: cidr4,
      propagateDefaultRoute: z.boolean().optional().describe('to what else is in its VPC'),
    }),
    protect,
  }),
  gateway: z.strictObject({
    name: name.default('egress'),
    existing: existing.optional(),
    type: z.string().min(1).optional().describe('e.g. VPC-GW-S'),
    zone: otherZone,
    bastion: z
      .strictObject({
        port: port.default(61000),
        allow: z.array(cidr).min(1),
        open,
        hostKeys: z
          .array(hostKey)
          .min(1)
          .optional()
          .describe('as ssh-keyscan shows them; needed with ssh.via: bastion'),
      })
      .optional(),
    protect,
  }),
  ssh: z.strictObject({
    user: z
      .string()
      .regex(/^[a-z_][a-z0-9_-]*$/, 'a user name is lower-case letters, digits, _ and -')
      .default('root'),
    port: port.default(22),
    via: z
      .enum(['public', 'bastion'])
      .default('public')
      .describe("how hosts are reached: at their public address, or at the private one through the gateway's bastion"),
    allow: z.array(cidr).min(1).describe('where operators connect from'),
    open,
    identity: path.describe('private key file, with its .pub beside it; one with a passphrase may live in an agent'),
    passphrase: password
      .optional()
      .describe('of the identity, where no agent holds it; absent: asked for on a terminal'),
    agent: path.optional().describe('socket of an SSH agent, or none; absent: SSH_AUTH_SOCK'),
    knownHosts: z
      .array(path)
      .min(1)
      .optional()
      .describe('known_hosts files: for the bastion, and for keys that they revoke'),
    config: path.optional().describe('an ssh_config, for what is not said here: ProxyJump, HostKeyAlias, ...'),
    compress: z.boolean().optional().describe('for slow links'),
    become: z
      .strictObject({ password })
      .optional()
      .describe('where sudo asks the user for a password; it is sent on stdin alone'),
  }),
  cluster: z.strictObject({
    name: name.optional(),
    existing: existing.optional().describe('a Kapsule cluster that exists already; the pools in it are still ours'),
    version: z
      .string('quote the version: "1.34"')
      .regex(/^1\.\d+(\.\d+)?$/, 'a version is like "1.34" or "1.34.2"')
      .optional(),
    cni: z.enum(['cilium', 'cilium_native', 'calico', 'kilo']).default('cilium'),
    podCidr: cidr4.default('100.64.0.0/15'),
    serviceCidr: cidr4.default('10.32.0.0/20'),
    acl: z
      .array(cidr)
      .min(1)
      .optional()
      .describe('who may reach the API server, beside the nodes; absent: as it is, which at first is everybody'),
    kubeconfig: path.optional().describe('a cluster that exists already; then none is made'),
    pools: z
      .array(pool.extend({ tenant: name.optional().describe('one more pool for this tenant alone') }))
      .default([]),
    protect,
  }),
  verify: z
    .strictObject({
      echo: z
        .array(url)
        .min(1)
        .optional()
        .describe('services that answer the address they see; every tenant must be allowed to reach them'),
      forbidden: url.default('http://egress-probe.invalid/'),
    })
    .prefault({}),
  configure: z
    .strictObject({
      serial: z
        .union([amount, z.array(amount).min(1)], 'a number of hosts, or a share like 25%, or a list of these: [1, 50%]')
        .optional()
        .describe('hosts changed side by side: 2, 25%, or one batch after the other: [1, 50%]; absent: all at once'),
      maxFail: amount.default(0).describe('hosts that may fail or be unreachable before no new batch starts'),
      onFailure: z
        .enum(['take-back', 'keep'])
        .default('take-back')
        .describe('what becomes of the hosts that were changed when more fail; the failed one is always as before'),
      health: z
        .array(
          z.union(
            [
              z.strictObject({ command: z.string().min(1), within: duration.default('30s') }),
              z.strictObject({ port, within: duration.default('30s') }),
              z.strictObject({ http: port, within: duration.default('30s') }),
            ],
            'a health check is { command: ... }, { port: ... } or { http: ... }, each with within: 30s',
          ),
        )
        .optional()
        .describe('must hold on a changed host before the next batch, or it is put back; absent: its proxy listens'),
    })
    .prefault({}),
  hosts: z
    .strictObject({ ansible: path.describe('an inventory of Ansible: INI, YAML or a folder') })
    .optional()
    .describe('machines that exist already; tenants name theirs as egress.proxy.existing'),
  groups: z
    .record(
      name,
      z.strictObject({ children: z.array(name).optional().describe('groups inside it'), vars: vars.optional() }),
    )
    .optional()
    .describe('of tenants, which name theirs; for --limit and variables'),
  vars: vars.optional().describe('for every host; a group goes over it, and a tenant over both'),
  dns: z.strictObject({ nameservers: z.array(address4).default([]) }).prefault({}),
})

const workload = z.strictObject({ kind: z.enum(['Deployment']), name })

/** inventory/<context>/tenants/<tenant>.yaml */
export const tenantSchema = z.strictObject({
  tenant: name,
  namespace: name,
  groups: z.array(name).optional().describe('declared in context.yaml'),
  vars: vars.optional().describe('for its host; templates read them as vars'),
  pool,
  egress: z.strictObject({
    via: z.enum(['proxy-vm', 'gateway-pod']).default('proxy-vm'),
    proxy: z.strictObject({
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
      zone: otherZone,
      protect,
    }),
    mode: z.enum(['enforce', 'report']).default('enforce'),
    allow: z.array(z.strictObject({ domain, ports: z.array(port).min(1).optional(), comment: z.string().optional() })),
  }),
  workloads: z
    .array(workload.extend({ demo: z.strictObject({ replicas: z.int().min(1).max(50).default(1) }).optional() }))
    .optional()
    .describe('what moves; with demo, kapsule-egress makes it'),
  rollout: z.strictObject({
    canary: workload,
    // biome-ignore lint/suspicious/noThenProperty: the word of the inventory; nothing awaits a schema
    then: z
      .strictObject({
        batches: z
          .array(z.string().regex(/^\d{1,3}%$/, 'a batch is a percentage like 25%'))
          .min(1)
          .default(['100%']),
        soak: duration.default('0s'),
      })
      .prefault({}),
    externalAllowlist: z
      .strictObject({ provider: z.string(), network: z.string() })
      .optional()
      .describe("not built yet: the partner's firewall has to be changed by hand"),
  }),
})

export type ContextFile = z.output<typeof contextSchema>
export type TenantFile = z.output<typeof tenantSchema>
