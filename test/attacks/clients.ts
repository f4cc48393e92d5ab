import { attacks, both, connect, say } from './attack.ts'

/** Whoever is no tenant's gets nothing, whatever is asked. */
export const clients = attacks(
  'clients',
  both('allowed.test', 'an address that is no tenant', { stranger: true }),
  both('evil.test', 'an address that is no tenant, a name that is not listed', { stranger: true }),
  both('169.254.169.254', 'an address that is no tenant, metadata', { stranger: true }),
  connect('allowed.test:22', 'an address that is no tenant, an odd port', { stranger: true }),
  say(
    'GET http://allowed.test/{id} HTTP/1.1\r\nHost: allowed.test\r\nX-Forwarded-For: 172.16.29.7\r\nForwarded: for=172.16.29.7\r\nX-Real-IP: 172.16.29.7\r\nConnection: close\r\n\r\n',
    'http://allowed.test/',
    'an address that is no tenant, and says it is',
    { stranger: true },
  ),
  say(
    'PROXY TCP4 172.16.29.7 172.16.28.2 40000 3128\r\nGET http://allowed.test/{id} HTTP/1.1\r\nHost: allowed.test\r\nConnection: close\r\n\r\n',
    'http://allowed.test/',
    'an address that is no tenant, with the header of balancers',
    { stranger: true },
  ),
)
