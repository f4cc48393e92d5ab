import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import type { HostAddress } from '../../src/hosts/address.ts'
import { resolveHost } from '../../src/hosts/resolve.ts'
import { createSsh, type SshOptions } from '../../src/hosts/ssh.ts'
import { readSshConfig } from '../../src/hosts/ssh-config.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { wireTo } from '../support/wire.ts'

const { test, before, after } = suite('logging in to a real sshd')

let host: TestHost
let dir: string
let agent: ChildProcess
const at = (name: string) => join(dir, name)
const socket = () => at('agent')

const keygen = (name: string, type: string, passphrase = '', ...more: string[]) =>
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', name, '-f', at(name), ...more])
const add = (name: string) =>
  execFileSync('ssh-add', ['-q', at(name)], { env: { ...process.env, SSH_AUTH_SOCK: socket() }, stdio: 'pipe' })
const admit = (...names: string[]) =>
  writeFileSync(at('keys'), names.map(it => readFileSync(at(`${it}.pub`), 'utf8')).join(''))

before(async () => {
  host = await makeHost(9)
  dir = mkdtempSync(join(tmpdir(), 'kapsule-egress-login-'))
  keygen('plain', 'ed25519')
  keygen('rsa', 'rsa', '', '-b', '3072')
  keygen('ecdsa', 'ecdsa')
  keygen('locked', 'ed25519', 'open sesame')
  keygen('old', 'rsa', 'open sesame', '-b', '3072', '-m', 'PEM')
  for (const it of ['stranger1', 'stranger2', 'kept']) keygen(it, 'ed25519')
  admit('plain', 'rsa', 'ecdsa', 'locked', 'old', 'kept')
  host.sh(`cat >>/etc/ssh/keys <<'K'\n${readFileSync(at('keys'), 'utf8')}K`)
  agent = spawn('ssh-agent', ['-D', '-a', socket()], { stdio: 'ignore' })
  assert.ok(await until(() => existsSync(socket()), 30), 'ssh-agent does not listen')
  add('stranger1')
  add('stranger2')
  add('kept')
  rmSync(at('kept'))
})

after(async () => {
  agent?.kill()
  await host?.down()
  if (dir) rmSync(dir, { recursive: true, force: true })
})

/** Runs a command that leaves a trace, as a look would go along with the login. */
const login = async (changes: Partial<HostAddress>, options: SshOptions = {}) => {
  host.sh('rm -f /run/trace')
  const ssh = createSsh({ bootSeconds: 0, connectTimeoutSeconds: 20, env: {}, ...options })
  try {
    const { stdout } = await ssh.exec(
      { ...host.address, ...changes },
      { command: 'sh -s', stdin: 'echo x >>/run/trace; echo in\n', repeatable: true },
    )
    assert.is(stdout, 'in\n')
    assert.is(host.sh('cat /run/trace'), 'x\n')
  } finally {
    await ssh.close()
  }
}

const refused = async (run: Promise<unknown>): Promise<Problem> => {
  const thrown = await run.catch((it: unknown) => it)
  assert.instance(thrown, Problem)
  return thrown as Problem
}

for (const name of ['plain', 'rsa', 'ecdsa']) test(`with a key file: ${name}`, () => login({ identity: at(name) }))

for (const name of ['locked', 'old'])
  test(`with a passphrase from a variable: ${name}`, () =>
    login({ identity: at(name), passphrase: { env: 'PASS' } }, { env: { PASS: 'open sesame' } }))

test('a passphrase is asked for once, however many hosts there are, and again when it is wrong', async () => {
  const answers = ['wrong', 'open sesame']
  const questions: string[] = []
  const ask = async (question: string) => {
    questions.push(question)
    return answers.shift() ?? ''
  }
  const ssh = createSsh({ bootSeconds: 0, env: {}, ask })
  const same = { ...host.address, identity: at('locked') }
  const logins = [same, { ...same, user: 'root', compress: true }].map(it => ssh.exec(it, { command: 'true' }))
  assert.equal(
    (await Promise.all(logins)).map(it => it.code),
    [0, 0],
  )
  assert.equal(questions, Array(2).fill(`passphrase of ${at('locked')}: `))
  await ssh.close()
})

test('a passphrase that is wrong, or that nobody can be asked for, is a problem without it', async () => {
  const wrong = await refused(
    login({ identity: at('locked'), passphrase: { env: 'PASS' } }, { env: { PASS: 'hunter2' } }),
  )
  assert.match(wrong.message, /locked cannot be used/)
  assert.match(wrong.why, /passphrase in PASS does not open it/)
  assert.not.match(JSON.stringify([wrong.message, wrong.why, wrong.next]), /hunter2/)
  const unset = await refused(login({ identity: at('locked'), passphrase: { env: 'PASS' } }))
  assert.match(unset.why, /PASS is not set/)
  assert.match((await refused(login({ identity: at('locked') }))).why, /no terminal to ask on/)
})

test('with an agent: the key that is named, without its private half', () =>
  login({ identity: at('kept'), agent: socket() }))

test('with an agent: the third of its keys is the right one, and the command runs once', async () => {
  const ssh = createSsh({ bootSeconds: 0, env: { SSH_AUTH_SOCK: socket(), HOME: dir } })
  const { identity: _, ...bare } = host.address
  host.sh('rm -f /run/trace')
  await ssh.exec(bare, { command: 'sh -s', stdin: 'echo x >>/run/trace\n', repeatable: true })
  assert.is(host.sh('cat /run/trace'), 'x\n')
  await ssh.close()
})

test('with an agent: rsa and ecdsa sign too', async () => {
  for (const name of ['rsa', 'ecdsa']) {
    add(name)
    writeFileSync(at(`${name}-only.pub`), readFileSync(at(`${name}.pub`)))
    await login({ identity: at(`${name}-only`), agent: socket() })
  }
})

test('no key at all is a problem before anything is sent', async () => {
  const { identity: _, ...bare } = host.address
  const ssh = createSsh({ bootSeconds: 0, env: { HOME: '/nowhere', SSH_AUTH_SOCK: at('no-agent') } })
  const { message } = await refused(ssh.exec(bare, { command: 'true' }))
  assert.match(message, /no key to log in with/)
  await ssh.close()
})

test('a host key in known_hosts: plain, hashed, revoked, missing', async () => {
  const file = at('known_hosts')
  const from = { identity: host.identity, hostKey: [], knownHosts: [at('none'), file] }
  const line = `${host.address.address} ${host.address.hostKey}\n`
  writeFileSync(file, line)
  await login(from)
  execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' })
  assert.match(readFileSync(file, 'utf8'), /^\|1\|/)
  await login(from)
  await login({ ...from, hostKeyAlias: 'other' }).then(
    () => assert.unreachable(),
    (error: Problem) => assert.match(error.message, /not on record/),
  )
  writeFileSync(file, `${line}@revoked * ${host.address.hostKey}\n`)
  assert.match((await refused(login(from))).message, /host key is revoked/)
  // Also when the inventory has it on record.
  assert.match((await refused(login({ ...from, hostKey: host.address.hostKey }))).message, /host key is revoked/)
  writeFileSync(file, '')
  assert.match((await refused(login(from))).why, /known_hosts name no key for 192\.0\.2\./)
})

test('as ssh_config says, through its ProxyJump', async () => {
  const config = at('config')
  writeFileSync(at('hosts'), `inner,outer ${host.address.hostKey}\n`)
  writeFileSync(
    config,
    `Host inner\n  HostName 127.0.0.1\n  ProxyJump outer\nHost outer\n  HostName ${host.address.address}\nHost *\n  User root\n  IdentityFile ${host.identity}\n  UserKnownHostsFile ${at('hosts')}\n  HostKeyAlias outer\n`,
  )
  const ssh = createSsh({ bootSeconds: 0, env: {} })
  const inner = resolveHost('inner', readSshConfig(config))
  assert.match((await ssh.exec(inner, { command: 'echo $SSH_CONNECTION' })).stdout, /^127\.0\.0\.1 /)
  // An address of the inventory takes from it what the inventory leaves out.
  const { identity: _, ...bare } = host.address
  const given = { ...bare, name: 'inner', address: '127.0.0.1', config, knownHosts: [] }
  assert.match((await ssh.exec(given, { command: 'echo $SSH_CONNECTION' })).stdout, /^127\.0\.0\.1 /)
  await ssh.close()
})

test('compressed: a hundredth of the bytes, and all of them arrive', async () => {
  const wire = await wireTo(host.address.address, 22)
  const ssh = createSsh({ bootSeconds: 0, env: {} })
  const slow = { ...host.address, address: '127.0.0.1', port: wire.port, compress: true }
  const long = 'x'.repeat(2_000_000)
  const { stdout } = await ssh.exec(slow, { command: 'cat', stdin: long, repeatable: true })
  assert.is(stdout.length, long.length)
  const { up, down } = wire.bytes()
  assert.ok(up < 20_000 && down < 20_000, `${up} and ${down} bytes`)
  await ssh.close()
  await wire.close()
})
