import { squidTasks } from '../../src/hosts/squid.ts'
import { at } from '../support/lab/lab.ts'
import { allow } from './attack.ts'

/** The proxy of the attack set, as our own playbook would make it. */
export const attackedProxy = (mode: 'enforce' | 'report' = 'enforce') =>
  squidTasks({
    hostName: 'proxy-1',
    tenants: [{ name: 'client-a', port: 3128, clients: ['172.16.28.0/22', '172.16.32.0/22'], allow, mode }],
    inner: ['172.16.28.0/22', '100.64.0.0/15', '10.32.0.0/12', `${at.proxyOutside}/32`, `${at.proxyOutside6}/128`],
    nameservers: [at.dns],
  })
