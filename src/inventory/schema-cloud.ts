import { z } from 'zod'
import { cidr, cidr4, duration, hostKey, name, path, port, region, zone } from './words.ts'

export const protect = z
  .boolean()
  .optional()
  .describe('true: a plan that would replace or delete it is refused, and so is destroy')

const existing = z
  .strictObject({ id: z.uuid().optional(), name: z.string().min(1).optional() })
  .describe('one that exists already, by id or by name: used, never changed or deleted')

export const otherZone = zone.optional().describe('absent: scaleway.zone; another one of the same region')

export const pool = z.strictObject({
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

/** Who may knock: without it, the whole internet is a mistake. */
export const open = z.literal(true).optional().describe('yes, the whole internet may knock: allows 0.0.0.0/0')

export const scaleway = z.strictObject({
  region,
  zone,
  config: path.optional().describe("a config file of Scaleway's tools; given here, the environment has no say"),
  profile: z.string().min(1).optional(),
  projectId: z.uuid().optional(),
  deadlines: deadlines.optional().describe('how long a wait may take before it is a failure, e.g. pool: 25m'),
})

export const network = z.strictObject({
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
})

export const gateway = z.strictObject({
  name: name.default('egress'),
  existing: existing.optional(),
  type: z.string().min(1).optional().describe('e.g. VPC-GW-S'),
  zone: otherZone,
  bastion: z
    .strictObject({
      port: port.default(61000),
      allow: z.array(cidr).min(1),
      open,
      hostKeys: z.array(hostKey).min(1).optional().describe('as ssh-keyscan shows them; needed with ssh.via: bastion'),
    })
    .optional(),
  protect,
})

export const cluster = z.strictObject({
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
  admissionPolicies: z.boolean().optional().describe('false: no ValidatingAdmissionPolicies of ours are made in it'),
  kubeconfig: path.optional().describe('a cluster that exists already; then none is made'),
  kubeconfigContext: z.string().min(1).optional().describe('of the kubeconfig; absent: its current-context'),
  pools: z.array(pool.extend({ tenant: name.optional().describe('one more pool for this tenant alone') })).default([]),
  protect,
})
