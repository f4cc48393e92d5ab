import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2, { type Client } from 'ssh2'
import * as assert from 'uvu/assert'
import type { HostAddress } from '../../src/hosts/address.ts'
import { newHostKey } from '../../src/hosts/cloud-init.ts'
import { flightOf } from '../../src/hosts/flight.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('servers that are not OpenSSH')

let dir: string
const hostKey = newHostKey()
const identity = newHostKey()

before(() => {
  dir = mkdtempSync(join(tmpdir(), 'kapsule-egress-other-'))
  writeFileSync(join(dir, 'identity'), identity.private, { mode: 0o600 })
})

after(() => rmSync(dir, { recursive: true, force: true }))

/** A server of another make: it lets our key in and gives back in capitals what a command reads. */
const serve = async (ident: string | undefined, run: (host: HostAddress, commands: string[]) => Promise<void>) => {
  const commands: string[] = []
  const server = new ssh2.Server({ hostKeys: [hostKey.private], ...(ident && { ident }) }, client => {
    client.on('authentication', context => (context.method === 'publickey' ? context.accept() : context.reject()))
    client.on('error', () => {})
    client.on('session', accept =>
      accept().on('exec', (accept, _reject, { command }) => {
        commands.push(command)
        const stream = accept()
        let text = ''
        stream.on('data', (chunk: Buffer) => {
          text += chunk
        })
        stream.on('end', () => {
          stream.write(text.toUpperCase())
          stream.exit(3)
          stream.end()
        })
      }),
    )
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = server.address() as { port: number }
    const identity = join(dir, 'identity')
    await run(
      { name: 'other', address: '127.0.0.1', port, user: 'root', hostKey: hostKey.public, identity, agent: 'none' },
      commands,
    )
  } finally {
    server.close()
  }
}

test('are served the plain way: each command once, one after the other and side by side', () =>
  serve(undefined, async (host, commands) => {
    const ssh = createSsh({ bootSeconds: 0, connectTimeoutSeconds: 5 })
    const run = (n: number) => ssh.exec(host, { command: `c${n}`, stdin: `said ${n}`, repeatable: true })
    assert.equal(await run(1), { code: 3, stdout: 'SAID 1', stderr: '' })
    const more = await Promise.all([2, 3, 4].map(run))
    assert.equal(
      more.map(it => it.stdout),
      ['SAID 2', 'SAID 3', 'SAID 4'],
    )
    assert.equal(commands, ['c1', 'c2', 'c3', 'c4'])
    await ssh.close()
  }))

test('an ssh2 whose inside looks different is used the plain way', () => {
  const client = new ssh2.Client() as Client
  assert.is(flightOf(client), null)
  assert.is(flightOf({ _protocol: { authPK() {} }, _chanMgr: { add() {} } } as unknown as Client), null)
})
