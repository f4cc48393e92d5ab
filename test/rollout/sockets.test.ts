import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import * as assert from 'uvu/assert'
import { socketsIn } from '../../src/rollout/gates/sockets.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('rollout/sockets')

const HEADER = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
const REST = ' 00000000:00000000 00:00000000 00000000  1000        0 1 1 0 20 4 30 10 -1\n'

test('states, addresses and ports as the kernel writes them', () => {
  const text = [
    HEADER,
    `   0: 0100007F:0CEA 00000000:0000 0A${REST}`,
    `   1: 0A00000A:9C40 081C10AC:0C38 01${REST}`,
    `   2: 0A00000A:9C41 327100CB:01BB 02${REST}`,
    `   3: 0A00000A:9C42 327100CB:01BB 06${REST}`,
    HEADER.replace('rem', 'remote'),
    `   0: 0000000000000000FFFF00000A00000A:A1B2 0000000000000000FFFF0000327100CB:0050 01${REST}`,
    `  10: B80D0120000000000000000001000000:A1B2 B80D0120000000000000000002000000:01BB 02${REST}`,
  ].join('')
  assert.equal(socketsIn(text), [
    { remote: '172.16.28.8', port: 3128, state: 'established' },
    { remote: '203.0.113.50', port: 443, state: 'asking' },
    { remote: '203.0.113.50', port: 80, state: 'established' },
    { remote: '2001:db8:0:0:0:0:0:2', port: 443, state: 'asking' },
  ])
})

for (const text of ['', 'cat: /proc/net/tcp: Permission denied', 'OCI runtime exec failed'])
  test(`no list: ${JSON.stringify(text)}`, () => assert.is(socketsIn(text), null))

test('an empty list is one', () => assert.equal(socketsIn(HEADER), []))

test("the kernel's own list has a connection that stands", async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(done => server.once('listening', done))
  const { port } = server.address() as { port: number }
  const client = connect(port, '127.0.0.1')
  await new Promise(done => client.once('connect', done))
  const found = socketsIn(readFileSync('/proc/self/net/tcp', 'utf8'))
  client.destroy()
  server.close()
  assert.ok(found?.some(it => it.remote === '127.0.0.1' && it.port === port && it.state === 'established'))
})
