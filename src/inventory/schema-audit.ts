import { z } from 'zod'
import { port } from './words.ts'

const hostName = z
  .string()
  .regex(/^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/, 'a host is a name or an address, without port')

const onHost = z
  .string()
  .regex(/^\/[A-Za-z0-9_./-]+$/, 'a path on the proxies is absolute, of letters, digits, dots, dashes and _')

const target = (usual: number) =>
  z
    .strictObject({
      host: hostName.describe('who collects; its certificate is checked'),
      port: port.default(usual),
      peer: hostName.optional().describe('the name in its certificate; absent: host'),
      ca: onHost
        .default('/etc/ssl/certs/ca-certificates.crt')
        .describe('on the proxies: who may have signed its certificate'),
      certificate: onHost.optional().describe('on the proxies: theirs, where the collector asks for one'),
      key: onHost.optional().describe('on the proxies: its key'),
    })
    .refine(it => (it.certificate === undefined) === (it.key === undefined), 'a certificate and its key go together')

/** How long the audit log stays on the proxies, and where it goes besides. */
export const audit = z
  .strictObject({
    keepDays: z.int().min(1).max(3650).default(90).describe('on the proxies; lines are deleted after that'),
    ship: z
      .union([z.strictObject({ rsyslog: target(6514) }), z.strictObject({ fluentBit: target(24224) })], {
        error: 'one of { rsyslog: { host } } and { fluentBit: { host } }',
      })
      .optional()
      .describe('every line, as it is, over TLS: to a syslog server (RFC 5425), or by Fluent’s forward protocol'),
  })
  .prefault({})
