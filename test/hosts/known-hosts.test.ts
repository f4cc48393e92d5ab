import * as assert from 'uvu/assert'
import { knownKeys } from '../../src/hosts/known-hosts.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('known_hosts')

const a = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICuT5Yyw5gKUW85B1YoTYnMmhAPhv/zKVvCPFi9VZcPB'
const b = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGoCv6NLsZB2VX0aP7fB+U/cMl4wqj6TqQYFP6uxVPp/'
// The hashed lines were made by `ssh-keygen -H` of hashed.example and [hashed.example]:61000.
const file = `# a comment
plain.example,192.0.2.7 ${a} with a comment
[port.example]:2222 ${a}
*.wild.example,!not.wild.example ${a}
@revoked *.wild.example ${b}
@cert-authority *.ca.example ${a}
odd.example ssh-unheard-of AAAAB3
|1|+iay42flEz4ICR0mkM5UY3x8fsY=|QGdAAfVWK9k6sVKasgEvqHtNYqE= ${a}
|1|cIPFapKZqWRwdlNfNNscY5JvsV8=|w3WDk0Ip3IdwOR9DlhGzgdak2t0= ${b}

`

for (const { host, port = 22, known, revoked = [] } of [
  { host: 'plain.example', known: [a] },
  { host: '192.0.2.7', known: [a] },
  { host: 'plain.example', port: 2222, known: [] },
  { host: 'port.example', known: [] },
  { host: 'port.example', port: 2222, known: [a] },
  { host: 'x.wild.example', known: [a], revoked: [b] },
  { host: 'not.wild.example', known: [], revoked: [b] },
  { host: 'wild.example', known: [] },
  { host: 'x.ca.example', known: [] },
  { host: 'odd.example', known: [] },
  { host: 'hashed.example', known: [a] },
  { host: 'HASHED.example', known: [a] },
  { host: 'hashed.example', port: 61000, known: [b] },
  { host: 'other.example', known: [] },
])
  test(`${host}:${port}`, () => {
    const found = knownKeys(file, host, port)
    const lines = (keys: typeof found.known) => keys.map(it => `${it.type} ${it.getPublicSSH().toString('base64')}`)
    assert.equal({ known: lines(found.known), revoked: lines(found.revoked) }, { known, revoked })
  })
