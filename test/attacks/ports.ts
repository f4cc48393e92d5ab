import { allowed, attacks, connect, get } from './attack.ts'

/** Services of machines and clusters; 443 in plain HTTP and 80 in a tunnel are odd as well. */
const odd = [21, 22, 23, 25, 53, 80, 110, 123, 389, 444, 445, 465, 587, 2375, 2379, 3306, 5432, 6379, 6443, 8080, 8443]
const lateOnes = [9090, 9200, 10250, 11211, 27017, 65535]

export const ports = attacks(
  'ports',
  ...[...odd, ...lateOnes].map(port => connect(`allowed.test:${port}`, `a tunnel to port ${port}`)),
  ...[21, 22, 25, 81, 443, 2379, 6443, 8080, 8443, 10250].map(port =>
    get(`http://allowed.test:${port}/{id}`, `plain HTTP to port ${port}`),
  ),
  connect('ports.test:443', 'the usual port, where the entry names others'),
  get('http://ports.test/{id}', 'the usual port, where the entry names others'),
  connect('ports.test:8444', 'beside a port that the entry names'),
  connect('exact.test:8443', "another entry's port"),
  get('http://exact.test:8080/{id}', "another entry's port"),
  connect('allowed.test', 'no port at all is 443', allowed),
  connect('allowed.test:', 'an empty port is 443', allowed),
  ...['443.0', '443%20', '443#', '443?x', '443x', '443,22', '443;22', '443e0', '+443', '0443', '%34%34%33'].map(port =>
    connect(`allowed.test:${port}`, `${port}, which Squid reads as 443, and goes there`, allowed),
  ),
  ...['18446744073709552059', '22x443', '22x', '022', '4294967318', '18446744073709551638', '22.443', '22%00443'].map(
    port => connect(`allowed.test:${port}`, `${port} as a port`),
  ),
  ...['1000443', '-1', '65535x'].map(port => connect(`allowed.test:${port}`, `${port} as a port`)),
  connect('allowed.test: 443', 'a blank before the port'),
  connect('allowed.test:4 43', 'a blank in the port'),
  connect(':443', 'a port alone'),
  ...['22x', '022', '4294967318', '-1', '00', '0x50', ' 80'].map(port =>
    get(`http://allowed.test:${port}/{id}`, `${port} as a port`),
  ),
  ...['080', '+80', '80.0', '80x', '80;22', '80,22', '4294967376'].map(port =>
    get(`http://allowed.test:${port}/{id}`, `${port}, which Squid reads as 80, and goes there`, allowed),
  ),
  get('http://allowed.test:80@evil.test/{id}', 'a port, and another name behind an @'),
  connect('allowed.test:0', 'port 0'),
  connect('allowed.test:65536', 'a port that there is not'),
  connect('allowed.test:65979', '443 + 65536'),
  connect('allowed.test:4294967739', '443 + 2^32, which Squid reads as 443, and goes there', allowed),
  connect('allowed.test:-443', 'a negative port'),
  connect('allowed.test:0x1bb', '443 in hexadecimal'),
  connect('allowed.test:443:22', 'two ports, of which the first counts', allowed),
  connect('allowed.test:22:443', 'two ports, the other way'),
  connect('allowed.test:443/', 'a path in a tunnel, which Squid takes off', allowed),
  connect('allowed.test:https', 'what is no number is no port, and 443 is taken', allowed),
  get('http://allowed.test:0/{id}', 'port 0'),
  get('http://allowed.test:65616/{id}', '80 + 65536'),
  get('http://allowed.test:80:22/{id}', 'two ports'),
  get('http://allowed.test:8o/{id}', 'a letter in a port'),
)
