import { z } from 'zod'
import { port } from './words.ts'

const day = z.iso.date('a day is like 2027-01-31')

/** One destination. What stands between its fields, and between entries, is checked in src/policy/entries.ts. */
const entry = z.strictObject({
  domain: z
    .string()
    .optional()
    .describe('api.example.com, or .example.com for it and everything below it; other scripts and capitals are fine'),
  address: z.string().optional().describe('one IPv4 or IPv6 address, where there is no name'),
  ports: z.array(port).min(1).optional().describe('absent: 443 for CONNECT, 80 for plain HTTP; of a denial: all'),
  protocols: z
    .array(z.enum(['connect', 'http']))
    .min(1)
    .optional()
    .describe('absent: both, but never CONNECT to 80'),
  methods: z
    .array(z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']))
    .min(1)
    .optional()
    .describe('of plain HTTP; absent: all. Without protocols, the entry is for plain HTTP alone'),
  expires: day.optional().describe('the last day it holds, in UTC'),
  comment: z.string().optional(),
  requestedBy: z.string().optional().describe('who asked for it'),
  suffix: z.boolean().optional().describe('true: everybody below a public suffix such as .github.io is meant'),
})

export const allow = z.array(entry)
export const deny = z.array(entry).describe('denials win over everything that is allowed')

/** Lists for all tenants of a context. */
export const policy = z.strictObject({ allow: allow.optional(), deny: deny.optional() })

export const limits = z.strictObject({
  bandwidth: z
    .string('a bandwidth is a text with its unit, like 10MB/s')
    .regex(/^([1-9]\d{0,5}KB|[1-9]\d{0,2}MB|1GB)\/s$/, 'a bandwidth is like 10MB/s, and at most 1GB/s')
    .optional()
    .describe('of all requests and tunnels of the tenant together, each way, on each of its proxies'),
  connections: z.int().min(1).max(65535).optional().describe('open at once from one client address'),
  tunnelLifetime: z
    .string('a lifetime is a text with its unit, like 8h')
    .regex(/^[1-9]\d*(\.\d+)?(s|m|h)$/, 'a tunnel lives for seconds at least, e.g. 8h')
    .optional()
    .describe('after which a tunnel is cut, e.g. 8h'),
})
