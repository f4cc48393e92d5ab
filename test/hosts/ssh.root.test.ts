import { writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import type { HostAddress } from '../../src/hosts/address.ts'
import { newHostKey } from '../../src/hosts/cloud-init.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import { ConnectionLost, Unreachable } from '../../src/hosts/ssh-problems.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'

const { test, before, after } = suite('ssh to a real host')

let host: TestHost
let behind: TestHost
let silent: Server
const sockets = new Set<Socket>()
const ssh = createSsh({ connectTimeoutSeconds: 20, bootSeconds: 0 })
/** For hosts that do not answer. */
const hasty = createSsh({ connectTimeoutSeconds: 2, bootSeconds: 0 })

before(async () => {
  host = await makeHost(2)
  behind = await makeHost(3)
  silent = createServer(socket => sockets.add(socket))
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
})

after(async () => {
  await ssh.close()
  await hasty.close()
  for (const it of sockets) it.destroy()
  silent?.close()
  await host?.down()
  await behind?.down()
})

const silentPort = () => (silent.address() as { port: number }).port

test('what a command says, on both sides, with its exit code', async () => {
  const lines: string[] = []
  const result = await ssh.exec(host.address, {
    command: 'sh -s',
    stdin: 'echo one; echo two; echo bad >&2; exit 7\n',
    onLine: it => lines.push(it),
  })
  assert.equal(result, { code: 7, stdout: 'one\ntwo\n', stderr: 'bad\n' })
  assert.equal(lines, ['one', 'two'])
})

test('one connection is kept, and never more than eight sessions on it', async () => {
  const results = await Promise.all(
    Array.from({ length: 30 }, () => ssh.exec(host.address, { command: 'echo $SSH_CONNECTION; sleep 0.05' })),
  )
  assert.is(new Set(results.map(it => it.stdout)).size, 1)
  const fresh = await ssh.fresh(host.address, { command: 'echo $SSH_CONNECTION' })
  assert.is.not(fresh.stdout, results[0]!.stdout)
})

test('through a bastion', async () => {
  const jumped = { ...host.address, jump: { ...behind.address, name: 'bastion' } }
  // The hosts have no route to each other, so the bastion reaches itself: another login, from inside.
  const self: HostAddress = { ...behind.address, address: '127.0.0.1', jump: { ...behind.address, name: 'bastion' } }
  assert.match((await ssh.exec(self, { command: 'echo $SSH_CONNECTION' })).stdout, /^127\.0\.0\.1 /)
  assert.match((await ssh.fresh(self, { command: 'echo $SSH_CONNECTION' })).stdout, /^127\.0\.0\.1 /)
  const thrown = await hasty.exec(jumped, { command: 'true' }).catch((it: unknown) => it)
  assert.instance(thrown, Unreachable)
})

type Failure = {
  when: string
  by?: typeof ssh
  to: () => HostAddress
  message: RegExp
  why: RegExp
  unreachable: boolean
}
const failures: Failure[] = [
  {
    when: 'another key than the server admits',
    to: () => {
      const identity = join(dirname(host.identity), 'stranger')
      writeFileSync(identity, newHostKey().private, { mode: 0o600 })
      return { ...host.address, identity }
    },
    message: /login refused/,
    why: /does not accept the key .*stranger/,
    unreachable: false,
  },
  {
    when: 'no key at all',
    to: () => ({ ...host.address, identity: '/nowhere/key' }),
    message: /cannot be used/,
    why: /ENOENT/,
    unreachable: false,
  },
  {
    when: 'a changed host key',
    to: () => ({ ...host.address, hostKey: newHostKey().public }),
    message: /host key is not the one/,
    why: /shows SHA256:/,
    unreachable: false,
  },
  {
    when: 'a host key of another type',
    to: () => ({
      ...host.address,
      hostKey:
        'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=',
    }),
    message: /host key is not the one/,
    why: /type on record/,
    unreachable: false,
  },
  {
    when: 'a host that accepts and says nothing',
    by: hasty,
    to: () => ({ ...host.address, address: '127.0.0.1', port: silentPort() }),
    message: /unreachable/,
    why: /did not greet/,
    unreachable: true,
  },
  {
    when: 'a port where nobody listens',
    to: () => ({ ...host.address, port: 23 }),
    message: /unreachable/,
    why: /refused/,
    unreachable: true,
  },
]

for (const { when, by = ssh, to, message, why, unreachable } of failures)
  test(`${when}: a problem, and no hang`, async () => {
    const thrown = await by.exec(to(), { command: 'true' }).catch((it: unknown) => it)
    assert.instance(thrown, Problem)
    assert.match((thrown as Problem).message, message)
    assert.match((thrown as Problem).why, why)
    assert.is(thrown instanceof Unreachable, unreachable)
  })

test('a server that boots is awaited, and said so', async () => {
  const patient = createSsh({ connectTimeoutSeconds: 20, bootSeconds: 60, retrySeconds: 0.2 })
  const port = 2222
  const waits: string[] = []
  const waiting = (it: string) => {
    if (waits.push(it) === 2) host.sh(`/usr/sbin/sshd -p ${port} -o PidFile=/run/second.pid`)
  }
  const { code } = await patient.exec({ ...host.address, port }, { command: 'true', waiting })
  assert.is(code, 0)
  assert.match(waits[0] ?? '', /test-2: SSH at root@.*refused/)
  host.sh('kill $(cat /run/second.pid)')
  await patient.close()
})

test('a lost connection is a problem, and the next command gets a new one', async () => {
  const own = createSsh({ connectTimeoutSeconds: 20, bootSeconds: 0 })
  const pid = (await own.exec(host.address, { command: 'echo $PPID' })).stdout.trim()
  const running = own.exec(host.address, { command: 'sleep 95' }).catch((it: unknown) => it)
  assert.ok(await until(() => host.sh("pgrep -f '^sleep 95' || :") !== '', 30))
  host.sh(`kill ${pid}`)
  assert.instance(await running, ConnectionLost)
  assert.is((await own.exec(host.address, { command: 'echo again' })).stdout, 'again\n')
  await own.close()
})

test('a command that does not end is given up, and an interrupt ends the wait', async () => {
  const late = await ssh.exec(host.address, { command: 'sleep 3', timeoutSeconds: 0.5 }).catch((it: unknown) => it)
  assert.match((late as Problem).message, /no answer within 0\.5 s/)
  const abort = new AbortController()
  setTimeout(() => abort.abort(new Error('interrupted')), 200)
  const stopped = await ssh.exec(host.address, { command: 'sleep 3', signal: abort.signal }).catch((it: unknown) => it)
  assert.is((stopped as Error).message, 'interrupted')
})
