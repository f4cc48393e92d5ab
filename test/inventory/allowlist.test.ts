import * as assert from 'uvu/assert'
import { loadContext } from '../../src/inventory/load.ts'
import { suite } from '../support/suite.ts'
import { changed, cleanUp, mistakes } from './edited.ts'

const { test, after } = suite('inventory: allowlists of partners')
after(cleanUp)

const ROLLOUT = 'then: { batches: [50%, 100%], soak: 1s }'
const written = (text: string, more: [string, string][] = []) =>
  changed({ 'tenants/client-a.yaml': [[ROLLOUT, `${ROLLOUT}\n  externalAllowlist: { ${text} }`], ...more] })

const ID = '11111111-2222-4333-8444-555555555555'
const commands = 'commands: { list: [./f, list], add: [./f, add], remove: [./f, remove] }'

for (const text of [
  'provider: crunchybridge, network: <id>',
  "provider: crunchybridge, network: n, key: { file: /run/key }, url: 'https://api.example'",
  "provider: crunchybridge, network: n, url: 'http://127.0.0.1:8080/partner'",
  "provider: crunchybridge, network: n, remove: [198.51.100.7, '2001:db8::/32'], prove: 'api.partner.example:443'",
  `provider: scaleway-rdb, instance: ${ID}, region: nl-ams`,
  `provider: kapsule, cluster: ${ID}`,
  `provider: command, ${commands}, drain: 2m, otherPods: ignore`,
])
  test(`accepted: ${text}`, async () => assert.equal(await mistakes(written(text)), []))

test('what is not said has its usual value', async () => {
  const copy = written('provider: crunchybridge, network: n')
  const { rollout } = (await loadContext('sandbox', { root: copy })).tenants[0]!
  assert.equal(rollout.externalAllowlist, { provider: 'crunchybridge', network: 'n', drain: '30s', otherPods: 'count' })
})

for (const { text, more, says } of [
  { text: 'provider: crunchy, network: n', says: /crunchybridge, scaleway-rdb, kapsule, command/ },
  { text: 'provider: crunchybridge', says: /network is missing/ },
  {
    text: `provider: crunchybridge, network: n, instance: ${ID}`,
    says: /instance says nothing here.*network, key, url/,
  },
  { text: 'provider: crunchybridge, network: n, key: cbkey_secret', says: /key: this is not right|key/ },
  { text: 'provider: crunchybridge, network: n, key: { env: A, file: /b }', says: /either env or file/ },
  { text: "provider: crunchybridge, network: n, url: 'https://u:p@x/'", says: /no user and password here/ },
  { text: "provider: crunchybridge, network: n, url: 'http://api.example/'", says: /not encrypted.*API key/ },
  { text: "provider: crunchybridge, network: n, url: 'http://127.0.0.1.example/'", says: /not encrypted/ },
  { text: 'provider: scaleway-rdb', says: /instance is missing/ },
  { text: 'provider: kapsule, cluster: mine', says: /cluster/ },
  { text: 'provider: command', says: /commands is missing/ },
  { text: 'provider: command, commands: { list: [x], add: [x] }', says: /remove is missing/ },
  {
    text: 'provider: crunchybridge, network: n, remove: [198.51.100.7]',
    says: /nobody could tell.*every moved workload.*add prove/,
  },
  {
    text: "provider: crunchybridge, network: n, prove: 'api.partner.example:443', remove: [198.51.100.300]",
    says: /an address like/,
  },
  {
    text: "provider: crunchybridge, network: n, prove: 'api.partner.example:443', remove: [192.0.2.1, 192.0.2.1/32]",
    says: /is there twice/,
  },
  { text: "provider: crunchybridge, network: n, prove: 'http://api.partner.example'", says: /an https URL/ },
  { text: "provider: crunchybridge, network: n, prove: 'db.partner.example:70000'", says: /a port is 1 to 65535/ },
  { text: "provider: crunchybridge, network: n, prove: 'https://db.partner.example:70000'", says: /a port is 1 to/ },
  { text: "provider: crunchybridge, network: n, prove: 'db.partner.example:5432'", says: /is not allowed.*Squid/ },
  {
    text: "provider: crunchybridge, network: n, prove: 'api.partner.example:443'",
    more: [['mode: enforce', 'mode: enforce\n  sni: verify']] as [string, string][],
    says: /proves nothing.*sni: verify/,
  },
])
  test(`a mistake is found: ${text}${more ? ', with sni: verify' : ''}`, async () => {
    const found = await mistakes(written(text, more))
    assert.is(found.length, 1, JSON.stringify(found.map(it => it.message)))
    const said = found.map(it => `${it.message} ${it.why} ${it.next}`).join('\n')
    assert.match(said, says)
    assert.not.match(said, /cbkey_secret/)
    assert.is(found[0]?.exit, 2)
  })
