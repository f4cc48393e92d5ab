import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { makeCheckout } from '../support/checkout.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('hosts of Ansible without any cloud')
const { directory, run } = makeCheckout()
let host: TestHost

before(async () => {
  host = await makeHost(26)
  const { address, hostKey, identity } = host.address
  writeFileSync(`${identity}.pub`, execFileSync('ssh-keygen', ['-y', '-f', String(identity)]))
  const file = (name: string) => join(directory, 'inventory/sandbox', name)
  writeFileSync(
    file('hosts.yml'),
    JSON.stringify({ all: { hosts: { old: { ansible_host: address, egress_host_key: hostKey } } } }),
  )
  const context = readFileSync(file('context.yaml'), 'utf8')
  writeFileSync(
    file('context.yaml'),
    context
      .replace(/prepare:\n.*\n/, 'hosts: { ansible: inventory/sandbox/hosts.yml }\n')
      // Where this machine is, seen from the host.
      .replace('192.0.2.240/28', '192.0.2.232/29')
      .replace('.egress/.sandbox/scw.yaml', 'nowhere/scw.yaml')
      .replace('.egress/.sandbox/id_ed25519', String(identity)),
  )
  const tenant = readFileSync(file('tenants/client-a.yaml'), 'utf8')
  writeFileSync(
    file('tenants/client-a.yaml'),
    tenant.replace('type: PLAY2-PICO, image: ubuntu_noble', 'existing: { host: old, publicIp: 203.0.113.9 }'),
  )
  rmSync(file('tenants/client-b.yaml'))
})
after(async () => {
  await host?.down()
  rmSync(directory, { recursive: true, force: true })
})

test('a whole play: told, done, and nothing left to do', async () => {
  const told = await run('40-configure.mjs', '--check', '--diff')
  assert.is(told.code, 3, told.stderr)
  assert.match(told.stdout, 'visible_hostname egress-proxy')
  const done = await run('40-configure.mjs', '--yes', '--json')
  assert.is(done.code, 0, done.stderr)
  assert.match(host.sh('cat /etc/squid/egress/client-a.policy'), '.github.com')
  assert.match(host.sh('ufw status'), /3128\/tcp +ALLOW +172\.16\.28\.0\/22/)
  assert.is((await run('40-configure.mjs', '--check')).code, 0)
})

test('other stages do ask the cloud', async () => {
  const { code, stderr } = await run('20-proxy.mjs', '--check')
  assert.is(code, 2)
  assert.match(stderr, /scw\.yaml/)
})
