import ssh2 from 'ssh2'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { cloudInit, hostKeyOf, newHostKey } from '../../src/hosts/cloud-init.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('cloud-init')

const hostKey = newHostKey()
const nasty = 'a: "b"\n#x $(y) \u2028 \u0085 é \\ \t end'
const text = cloudInit({
  hostname: 'proxy-1',
  users: [{ name: 'ops', authorizedKeys: ['ssh-ed25519 AAAA ops'], sudo: true }],
  authorizedKeys: ['ssh-ed25519 BBBB root'],
  hostKey,
  packages: ['squid', 'ufw'],
  writeFiles: [{ path: '/etc/x', content: nasty, permissions: '0600' }],
  runcmd: [['touch', "/it's"]],
})

test('is what cloud-init recognises, and says back what was put in', () => {
  assert.ok(text.startsWith('#cloud-config\n'))
  const data = parse(text)
  assert.equal(data.packages, ['squid', 'ufw'])
  assert.is(data.write_files[0].content, nasty)
  assert.is(data.write_files[0].permissions, '0600')
  assert.equal(data.runcmd, [['touch', "/it's"]])
  assert.equal(data.users.at(-1).ssh_authorized_keys, ['ssh-ed25519 AAAA ops'])
  assert.is(data.ssh_keys.ed25519_private, hostKey.private)
})

test('hands over a host key that can be found again', () => {
  assert.is(hostKeyOf(text), hostKey.public)
  assert.is(hostKeyOf('#cloud-config\nhostname: x\n'), null)
})

test('host keys are pairs in the format of OpenSSH, each another', () => {
  const secret = ssh2.utils.parseKey(hostKey.private)
  const open = ssh2.utils.parseKey(hostKey.public)
  if (secret instanceof Error || open instanceof Error) throw new Error('not readable')
  assert.is(secret.type, 'ssh-ed25519')
  assert.equal(secret.getPublicSSH(), open.getPublicSSH())
  assert.is.not(newHostKey().public, hostKey.public)
})

test('every host key can be read, also those that begin with a zero byte', () => {
  for (let made = 0; made < 2000; made++) {
    const { private: secret, public: open } = newHostKey()
    assert.is(Buffer.from(open.split(' ')[1]!, 'base64').length, 51)
    assert.is(ssh2.utils.parseKey(secret) instanceof Error, false)
  }
})
