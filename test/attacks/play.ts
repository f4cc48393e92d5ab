import { squidTasks } from '../../src/hosts/squid.ts'
import type { SquidTenant } from '../../src/hosts/squid-conf.ts'
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

const policy = (tenant: string, mode: Mode) => ({ tenant, mode, rules: rules.toSorted(byName) })

const onlyOne: SquidTenant[] = [
  {
    ...{ name: 'client-a', port: 3128, clients: ['172.16.28.0/22', '172.16.32.0/22'] },
    policy: policy('client-a', 'enforce'),
  },
]

/** Two on one machine: each has a port, addresses it asks from, and one that it leaves with. The second only reports. */
export const neighbours = {
  a: {
    ...{ name: 'client-a', port: 3128, outgoing: at.proxyOutside },
    ...{ clients: ['172.16.28.0/22', '172.16.32.0/22'], pods: at.pods },
  },
  b: {
    ...{ name: 'client-b', port: 3130, outgoing: '198.51.100.6' },
    ...{ clients: ['172.16.36.0/22', '172.16.41.0/24', '172.16.42.0/23'], pods: at.otherPods },
  },
} as const

const both: SquidTenant[] = Object.values(neighbours).map(({ pods, clients, ...it }) => ({
  ...it,
  clients: [...clients],
  policy: policy(it.name, it.name === 'client-a' ? 'enforce' : 'report'),
}))

/** The proxy of the attack set, as our own tasks make it. */
export const attackedProxy = (shared = false) =>
  squidTasks({
    hostName: 'proxy-1',
    tenants: shared ? both : onlyOne,
    inner: ['172.16.28.0/22', '100.64.0.0/15', '10.32.0.0/12', `${at.proxyOutside}/32`, `${at.proxyOutside6}/128`],
    nameservers: [at.dns],
  })
