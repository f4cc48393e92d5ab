import { squidTasks } from '../../src/hosts/squid.ts'
import { byName, type Mode, type Rule } from '../../src/policy/policy.ts'
import { at } from '../support/lab/lab.ts'

const rule = (name: string, more: Partial<Rule> = {}): Rule => ({
  ...{ id: `allow:${name}`, effect: 'allow', name, connect: [443], http: [80] },
  ...{ methods: null, expires: null, comment: null, requestedBy: null },
  ...more,
})

/** The tenant of the attack set; all names in it, and below those with a dot, lead to an honest server. */
const rules: Rule[] = [
  rule('.allowed.test'),
  rule('exact.test'),
  rule('xn--bcher-kva.test'),
  rule('ports.test', { connect: [8443], http: [8080] }),
  rule('.tricks.test'),
  rule('tunnel.test', { http: [] }),
  rule('read.test', { methods: ['GET', 'HEAD'] }),
  rule('over.test', { expires: '2020-01-01' }),
  rule(at.address),
  rule('.secret.allowed.test', { id: 'deny:.secret.allowed.test', effect: 'deny', connect: '*', http: '*' }),
]

/** The proxy of the attack set, as our own tasks make it. */
export const attackedProxy = (mode: Mode = 'enforce') =>
  squidTasks({
    hostName: 'proxy-1',
    tenants: [
      {
        name: 'client-a',
        port: 3128,
        clients: ['172.16.28.0/22', '172.16.32.0/22'],
        policy: { tenant: 'client-a', mode, rules: rules.toSorted(byName) },
      },
    ],
    inner: ['172.16.28.0/22', '100.64.0.0/15', '10.32.0.0/12', `${at.proxyOutside}/32`, `${at.proxyOutside6}/128`],
    nameservers: [at.dns],
  })
