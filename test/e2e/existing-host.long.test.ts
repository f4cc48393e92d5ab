import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { makeCheckout } from '../support/checkout.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('a proxy that exists already, from an inventory of Ansible', { seconds: 280 })
const { directory, run, remove } = makeCheckout()
after(remove)

const edit = (file: string, from: string | RegExp, to: string) => {
  const path = join(directory, 'inventory/sandbox', file)
  const text = readFileSync(path, 'utf8')
  assert.match(text, from)
  writeFileSync(path, text.replace(from, to))
}
const outputsIn = (events: Record<string, unknown>[]) =>
  (events.at(-1)!.outputs as { proxies: Record<string, { public_ip: string; private_ip: string }> }).proxies
let ip = ''

// The machine is one that the sandbox made; from then on nothing but Ansible's inventory knows of it.
before(async () => {
  for (const it of ['10-gateway.mjs', '20-proxy.mjs']) assert.is((await run(it, '--yes')).code, 0)
  const { stdout } = await run('inventory.mjs', '--host', 'proxy-client-b')
  const found = JSON.parse(stdout) as Record<string, string>
  ip = found.ansible_host!
  writeFileSync(
    join(directory, 'inventory/sandbox/hosts'),
    `[old]\nold-proxy ansible_host=${ip} ansible_user=root egress_host_key="${found.egress_host_key}"\n[old:vars]\nrack=r7\n`,
  )
  edit('context.yaml', 'verify:', 'hosts: { ansible: inventory/sandbox/hosts }\nverify:')
  edit(
    'tenants/client-b.yaml',
    'type: PLAY2-PICO, image: ubuntu_noble',
    `existing: { host: old-proxy, publicIp: ${ip} }`,
  )
})

test('a host that Ansible does not know is told before anything is asked', async () => {
  edit('tenants/client-b.yaml', 'old-proxy', 'old-proxi')
  const { code, stderr } = await run('40-configure.mjs', '--check')
  assert.is(code, 2)
  assert.match(stderr, 'has no host old-proxi')
  assert.match(stderr, 'did you mean old-proxy?')
  edit('tenants/client-b.yaml', 'old-proxi', 'old-proxy')
})

test('it is configured, carries the tenant and passes the gates, and nothing is made for it', async () => {
  const { code, stderr, events } = await run('deploy.mjs', '--yes', '--json')
  assert.is(code, 0, stderr)
  assert.equal(outputsIn(events)['proxy-client-b'], { public_ip: ip, private_ip: '172.16.28.9' })
  // Nor is it called orphaned, which --prune would remove.
  const touched = events
    .map(it => String(it.step))
    .filter(it => /^(server|flexible-ip|ipam-address)\/proxy-client-b$/.test(it))
  assert.equal(touched, [])
})

test('check mode sees it, by the names that Ansible has for it', async () => {
  for (const name of ['old', 'old-proxy', 'client-b']) {
    const { code, stderr } = await run('40-configure.mjs', '--check', '--limit', name)
    assert.is(code, 0, stderr)
  }
  const { stdout } = await run('inventory.mjs', '--list')
  const { _meta } = JSON.parse(stdout) as { _meta: { hostvars: Record<string, Record<string, unknown>> } }
  assert.is(_meta.hostvars['proxy-client-b']!.ansible_host, ip)
})

test('another host key than the one on record is refused', async () => {
  edit('hosts', /egress_host_key="[^"]*"/, `egress_host_key="ssh-ed25519 ${otherKey}"`)
  const { code, stderr } = await run('40-configure.mjs', '--check', '--limit', 'client-b')
  assert.is(code, 1)
  assert.match(stderr, /host key is not the one on record/)
})

const otherKey = Buffer.concat([
  Buffer.from([0, 0, 0, 11]),
  Buffer.from('ssh-ed25519'),
  Buffer.from([0, 0, 0, 32]),
  Buffer.alloc(32, 9),
]).toString('base64')
