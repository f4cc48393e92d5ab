import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { jumpOf, resolveHost } from '../../src/hosts/resolve.ts'
import { readSshConfig, settingsFor } from '../../src/hosts/ssh-config.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('ssh_config')

let home: string
let path: string

before(() => {
  home = mkdtempSync(join(tmpdir(), 'kapsule-egress-ssh-'))
  mkdirSync(join(home, '.ssh/conf.d'), { recursive: true })
  path = join(home, '.ssh/config')
  writeFileSync(
    path,
    `# what all have
Include conf.d/*.conf
Host proxy-* !proxy-old
  HostName %h.internal.example
  User=admin
  Port 2200
  IdentityFile "~/.ssh/with space"
  ProxyJump ops@bastion:61000
Host bastion
    HostName 192.0.2.1
    UserKnownHostsFile ~/.ssh/bastion_hosts /etc/hosts_too
Host direct
  ProxyJump none
Host far
  ProxyJump bastion,second
Host loop
  ProxyJump pool
Host pool
  ProxyJump loop
Host odd
  ProxyCommand nc %h %p
Match exec "touch ${home}/ran"
  User never
Match host matched,m-*
  User fits
Host *
  User everybody
  IdentityFile ~/.ssh/%n
  ProxyJump fallback
`,
  )
  writeFileSync(join(home, '.ssh/conf.d/one.conf'), 'Host included\n  User first\nHost proxy-*\n  Compression yes\n')
})

after(() => rmSync(home, { recursive: true, force: true }))

const at = (name: string) => resolveHost(name, readSshConfig(path, home))

test('the first value counts, identities add up, and %h is the name', () => {
  const { address, user, port, identity, compress, jump } = at('proxy-1')
  assert.equal(
    { address, user, port, identity, compress },
    {
      address: 'proxy-1.internal.example',
      user: 'admin',
      port: 2200,
      identity: [join(home, '.ssh/with space'), join(home, '.ssh/proxy-1')],
      compress: true,
    },
  )
  const { name, address: through, user: as, port: on, knownHosts } = jump!
  assert.equal(
    [name, through, as, on, knownHosts],
    ['bastion', '192.0.2.1', 'ops', 61000, [join(home, '.ssh/bastion_hosts'), '/etc/hosts_too']],
  )
  assert.is(jump!.jump?.name, 'fallback')
})

for (const { name, user, jumps } of [
  { name: 'proxy-old', user: 'everybody', jumps: ['fallback'] },
  { name: 'included', user: 'first', jumps: ['fallback'] },
  { name: 'direct', user: 'everybody', jumps: [] },
  { name: 'matched', user: 'fits', jumps: ['fallback'] },
  { name: 'm-2', user: 'fits', jumps: ['fallback'] },
  { name: 'far', user: 'everybody', jumps: ['second', 'bastion', 'fallback'] },
])
  test(`${name}: ${user}, through ${jumps}`, () => {
    const chain: string[] = []
    const host = at(name)
    for (let it = host.jump; it && chain.length < 9; it = it.jump) chain.push(it.name)
    assert.equal(chain, jumps)
    assert.is(host.user, user)
  })

test('what is given goes over the file', () => {
  const host = resolveHost('proxy-1', readSshConfig(path, home), { user: 'root', hostKey: 'ssh-ed25519 AAAA' })
  assert.equal([host.user, host.port, host.hostKey], ['root', 2200, 'ssh-ed25519 AAAA'])
})

test('a loop and a command are refused, and nothing is run', () => {
  for (const name of ['loop', 'odd']) {
    try {
      at(name)
      assert.unreachable(name)
    } catch (error) {
      assert.instance(error, Problem)
    }
  }
  assert.throws(() => execFileSync('cat', [join(home, 'ran')], { stdio: 'ignore' }))
})

test('no file says nothing', () => {
  assert.equal(settingsFor(readSshConfig(join(home, 'none'), home), 'x'), { identityFile: [] })
})

for (const { text, is } of [
  { text: 'b', is: { name: 'b' } },
  { text: 'u@b:22', is: { name: 'b', user: 'u', port: 22 } },
  { text: 'ssh://u@b:22', is: { name: 'b', user: 'u', port: 22 } },
  { text: '[2001:db8::1]:22', is: { name: '2001:db8::1', port: 22 } },
])
  test(`a jump ${text}`, () => assert.equal(jumpOf(text), is))

test('OpenSSH reads the same, where it is installed', () => {
  // It would run the command.
  const harmless = join(home, 'harmless')
  writeFileSync(
    harmless,
    readFileSync(path, 'utf8')
      .replace(/^Match exec.*\n.*\n/m, '')
      .replace('conf.d', join(home, '.ssh/conf.d')),
  )
  for (const name of ['proxy-1', 'proxy-old', 'included', 'm-2']) {
    let said: string
    try {
      said = execFileSync('ssh', ['-G', '-F', harmless, name], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      })
    } catch {
      return
    }
    const values = (key: string) => [...said.matchAll(new RegExp(`^${key} (.*)$`, 'gm'))].map(it => it[1])
    const ours = at(name)
    assert.equal(
      [[ours.address], [ours.user], [String(ours.port)]],
      [values('hostname'), values('user'), values('port')],
      name,
    )
  }
})

for (const { config, says } of [
  {
    config: 'Host a\n  CertificateFile ~/.ssh/a-cert.pub',
    says: /^\S+:2: CertificateFile is not followed\na is .*a-cert/,
  },
  { config: 'PKCS11Provider /usr/lib/token.so', says: /:1: PKCS11Provider .*token\.so/s },
  { config: 'KnownHostsCommand /bin/keys %H', says: /:1: KnownHostsCommand .*are not run/s },
  { config: 'Host *\nBindAddress 192.0.2.9', says: /:2: BindAddress .*192\.0\.2\.9/s },
  { config: 'BindInterface eth1', says: /:1: BindInterface .*eth1/s },
  { config: 'CanonicalizeHostname always', says: /:1: CanonicalizeHostname/ },
  { config: 'ProxyCommand nc %h %p\nProxyJump b', says: /:1: ProxyCommand .*`nc %h %p`/s },
  { config: 'ProxyJump b\nProxyCommand nc %h %p', says: null },
  { config: 'ProxyCommand none\nProxyCommand nc %h %p', says: null },
  { config: 'Host other\n  CertificateFile x\n  ProxyCommand y', says: null },
  { config: 'PKCS11Provider none\nCanonicalizeHostname no', says: null },
])
  test(`${config.replaceAll('\n', '; ')}: ${says ? 'refused with its line' : 'followed'}`, () => {
    const own = join(home, 'own')
    writeFileSync(own, config)
    let said: string | null = null
    try {
      settingsFor(readSshConfig(own, home), 'a')
    } catch (error) {
      assert.instance(error, Problem)
      const { message, why, next, exit } = error as Problem
      assert.is(exit, 2)
      assert.ok(next)
      said = `${message}\n${why}`
    }
    if (says) assert.match(said ?? '', says)
    else assert.is(said, null)
  })
