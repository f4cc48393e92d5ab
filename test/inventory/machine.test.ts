import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { type Machine, machineOf } from '../../src/inventory/ansible/login.ts'
import { readAnsible } from '../../src/inventory/ansible/read.ts'
import { suite } from '../support/suite.ts'
import { changed, cleanUp, mistakes } from './edited.ts'

const { test, after } = suite('machines of Ansible')
const folder = mkdtempSync(join(tmpdir(), 'ansible-machines-'))
after(() => {
  rmSync(folder, { recursive: true })
  cleanUp()
})

const machine = (vars: string): Machine => {
  const file = join(folder, 'hosts')
  writeFileSync(file, `[web]\na ${vars}\n[prod:children]\nweb\n`)
  return machineOf(readAnsible(file), 'a', 'hosts')
}
const bare = { host: 'a', address: 'a', hostKeys: [], groups: ['prod', 'web'], vars: {} }

const tables: { vars: string; gives: Partial<Machine> }[] = [
  { vars: '', gives: {} },
  {
    vars: 'ansible_host=192.0.2.1 ansible_port=2222 ansible_user=ops',
    gives: { address: '192.0.2.1', port: 2222, user: 'ops' },
  },
  {
    vars: 'ansible_ssh_host=b ansible_ssh_port=22 ansible_ssh_user=ops',
    gives: { address: 'b', port: 22, user: 'ops' },
  },
  { vars: 'ansible_ssh_private_key_file=~/.ssh/x', gives: { identity: join(homedir(), '.ssh/x') } },
  { vars: `egress_host_key="['ssh-ed25519 A', 'ssh-rsa B']"`, gives: { hostKeys: ['ssh-ed25519 A', 'ssh-rsa B'] } },
  { vars: 'rack=7 ansible_become_password=x', gives: { vars: { rack: 7 } } },
  {
    vars: `ansible_ssh_common_args='-F /x/y -o StrictHostKeyChecking=no -J ops@[2001:db8::1]:2200'`,
    gives: { config: '/x/y', jump: { address: '2001:db8::1', port: 2200, user: 'ops' } },
  },
  { vars: `ansible_ssh_common_args='-oProxyJump=gw'`, gives: { jump: { address: 'gw', port: 22 } } },
]
for (const { vars, gives } of tables) test(`a ${vars}`, () => assert.equal(machine(vars), { ...bare, ...gives }))

for (const { vars, says } of [
  { vars: 'ansible_connection=docker', says: /it is docker/ },
  { vars: 'ansible_host="{{ inventory_hostname }}.x"', says: /is a template/ },
  { vars: 'ansible_port=ssh', says: /ssh is no port/ },
  { vars: `ansible_ssh_common_args='-o ProxyCommand="nc %h %p"'`, says: /runs a program/ },
  { vars: `ansible_ssh_common_args='-J a,b'`, says: /not one host/ },
])
  test(`${vars} is refused`, () =>
    assert.throws(
      () => machine(vars),
      (it: unknown) => it instanceof Problem && it.exit === 2 && says.test(it.why),
    ))

test('a proxy is made or exists, and the line is told where it is neither', async () => {
  const copy = changed({
    'tenants/client-a.yaml': [['type: PLAY2-PICO, ', '']],
    'tenants/client-b.yaml': [
      ['name: proxy-client-b,', 'name: proxy-client-b, existing: { host: x, publicIp: 192.0.2.1 },'],
    ],
  })
  const text = (await mistakes(copy)).map(it => `${it.message} | ${it.why}`).join('\n')
  assert.match(text, /client-a.yaml:\d+:\d+: egress.proxy.type is missing/)
  assert.match(text, /client-b.yaml:\d+:\d+: there are no hosts to find it in/)
  assert.match(text, /client-b.yaml:\d+:\d+: egress.proxy.image says nothing of a machine that exists/)
})
