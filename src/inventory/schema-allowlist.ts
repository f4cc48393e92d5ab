import { z } from 'zod'
import { open, secret } from './schema-gates.ts'
import { cidr, duration, place, region } from './words.ts'

const command = z.array(z.string().min(1)).min(1)

/** A partner's firewall. Which words belong to which provider is checked apart. */
export const externalAllowlist = z
  .strictObject({
    provider: z.enum(['crunchybridge', 'scaleway-rdb', 'kapsule', 'command']).describe('who keeps the list'),
    network: z.string().min(1).optional().describe('of crunchybridge: the id of the network'),
    key: secret.optional().describe('of crunchybridge: where the API key is; absent: the variable CB_API_KEY'),
    url: open.optional().describe('of crunchybridge: another API than https://api.crunchybridge.com'),
    instance: z.uuid().optional().describe('of scaleway-rdb: the id of the Managed Database'),
    cluster: z
      .uuid()
      .optional()
      .describe("of kapsule: the id of a cluster, not of the context's own (that is cluster.acl)"),
    region: region.optional().describe('of scaleway-rdb and kapsule; absent: that of the context'),
    commands: z
      .strictObject({
        list: command.describe('prints [{"range","description"}]'),
        add: command.describe('reads {"range","description"} from stdin'),
        remove: command.describe('reads {"range"} from stdin'),
        env: z
          .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of a variable, never its value'))
          .optional()
          .describe('variables that they get besides PATH and HOME'),
        timeout: duration.optional().describe('of each; absent: 30s'),
      })
      .optional()
      .describe('of command: programs on this machine, run without a shell; exit 75: try again later'),
    remove: z
      .array(z.union([cidr, z.ipv4(), z.ipv6()], 'an address like 203.0.113.7, or a range like 203.0.113.0/24'))
      .min(1)
      .max(50)
      .optional()
      .describe('entries that go once nobody needs them; what is not listed here stays'),
    prove: z
      .string()
      .regex(/^(https:\/\/[^\s@]+|([a-z0-9.-]+|\[[0-9a-f:.]+\]):\d{1,5})$/i, {
        error: 'it is like db.partner.example:5432, or an https URL',
        abort: true,
      })
      .refine(
        it => (it.startsWith('https://') ? URL.canParse(it) : place.safeParse(it).success),
        'a port is 1 to 65535, an IPv6 address stands in brackets',
      )
      .optional()
      .describe('every moved workload opens a new connection to it before and after an entry goes'),
    drain: duration
      .default('30s')
      .describe('so long connections of an old address get to end, after the last pod that made any is gone'),
    otherPods: z
      .enum(['count', 'ignore'])
      .default('count')
      .describe(
        'pods of the namespace that no workload here has: an entry stays while there are any, or they call nobody',
      ),
  })
  .describe("the partner's firewall: our fixed addresses are let in before a workload moves, old ones go at the end")
