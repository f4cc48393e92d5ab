import { execFileSync } from 'node:child_process'
import { gzipSync } from 'node:zlib'
import * as assert from 'uvu/assert'
import { firstBoot } from '../../../src/sandbox/machines/cloud-init.ts'
import { suite } from '../../support/suite.ts'

const { test } = suite('cloud-init user data becomes a first boot')

const boot = (userData: string | null) =>
  firstBoot(userData, { name: 'host', authorizedKeys: ['ssh-ed25519 AAAA project'] })
const order = (userData: string) => [...boot(userData).script.matchAll(/^echo '-- (.*)'$/gm)].map(it => it[1])

for (const { when, userData, steps } of [
  { when: 'nothing', userData: '', steps: ['hostname', 'ssh_authorized_keys'] },
  {
    when: 'all modules in cloud-init order, whatever theirs',
    userData: `#cloud-config
runcmd: [ls]
packages: [curl]
write_files: [{ path: /a, content: x }, { path: /b, defer: true }]
bootcmd: [ls]
users: [default, { name: ann }]
ssh_keys: { ed25519_private: k, ed25519_public: p }
`,
    steps: [
      'bootcmd',
      'write_files /a',
      'hostname',
      'users ann',
      'ssh_authorized_keys',
      'ssh_keys',
      'ssh_keys',
      'packages',
      'write_files /b',
      'runcmd',
    ],
  },
  { when: 'a script', userData: '#!/bin/sh\nls\n', steps: ['hostname', 'ssh_authorized_keys', 'script'] },
  {
    when: 'a module it does not know',
    userData: '#cloud-config\nntp: {}\n',
    steps: ['ntp', 'hostname', 'ssh_authorized_keys'],
  },
  { when: 'bad YAML', userData: '#cloud-config\na: [\n', steps: ['user-data', 'hostname', 'ssh_authorized_keys'] },
  { when: 'something else', userData: 'hello', steps: ['user-data', 'hostname', 'ssh_authorized_keys'] },
  {
    when: 'a list for a mapping',
    userData: '#cloud-config\n- a\n',
    steps: ['user-data', 'hostname', 'ssh_authorized_keys'],
  },
]) {
  test(when, () => {
    const found = order(userData).map(it =>
      it?.replace('write_files /etc/ssh/ssh_host_ed25519_key', 'ssh_keys').replace('ssh_keys.pub', 'ssh_keys'),
    )
    assert.equal(found, steps)
    // a shell that can read it all
    execFileSync('sh', ['-n'], { input: boot(userData).script })
  })
}

test('content is decoded here and never read by a shell', () => {
  const nasty = `'; touch /tmp/owned; echo '\n$(id) \`id\`\nEND_OF_FILE\n`
  const files = [
    { content: nasty, encoding: 'text/plain' },
    { content: Buffer.from(nasty).toString('base64'), encoding: 'b64' },
    { content: gzipSync(nasty).toString('base64'), encoding: 'gz+b64' },
  ].map((it, n) => ({ ...it, path: `/f${n}` }))
  const { script } = boot(`#cloud-config\n${JSON.stringify({ write_files: files })}`)
  const written = [...script.matchAll(/END_OF_FILE'*\\''\n([A-Za-z0-9+/=\n]+)\nEND_OF_FILE/g)].map(it =>
    Buffer.from(it[1]!, 'base64').toString(),
  )
  assert.equal(written.slice(0, 3), [nasty, nasty, nasty])
})

test('modes are octal whether quoted or not', () => {
  const of = (permissions: string) =>
    boot(`#cloud-config\nwrite_files: [{ path: /a, content: x, permissions: ${permissions} }]\n`).script
  for (const it of [`'0640'`, '0640', '"640"']) assert.match(of(it), /chmod '\\''0?640'\\''/)
})
