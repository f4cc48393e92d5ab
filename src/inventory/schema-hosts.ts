import { z } from 'zod'
import { open } from './schema-cloud.ts'
import { amount, cidr, duration, path, port } from './words.ts'

const password = z.union(
  [z.strictObject({ env: z.string().regex(/^[A-Za-z_]\w*$/) }), z.strictObject({ file: path })],
  { error: 'a password is named, never written here: { env: VARIABLE } or { file: path }' },
)

/** How operators and this tool log in. */
export const ssh = z.strictObject({
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
  passphrase: password.optional().describe('of the identity, where no agent holds it; absent: asked for on a terminal'),
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
})

/** How hosts are changed: in which batches, and what must hold before the next. */
export const configure = z
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
  .prefault({})

export const hosts = z
  .strictObject({ ansible: path.describe('an inventory of Ansible: INI, YAML or a folder') })
  .optional()
  .describe('machines that exist already; tenants name theirs as existing of a proxy')
