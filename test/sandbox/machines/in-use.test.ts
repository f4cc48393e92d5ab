import { connect, createServer } from 'node:net'
import * as assert from 'uvu/assert'
import { addressesInUse, fromHex, isIn, peersIn } from '../../../src/sandbox/machines/in-use.ts'
import { suite } from '../../support/suite.ts'

const { test } = suite('sandbox: addresses in use')

test('a range is a half of a /24', () => {
  assert.ok(isIn('203.0.113.80', '203.0.113.0/25'))
  assert.not(isIn('203.0.113.80', '203.0.113.128/25'))
  assert.ok(isIn('203.0.113.128', '203.0.113.128/25'))
  assert.not(isIn('198.51.100.80', '203.0.113.0/25'))
})

test('an open connection is seen', async () => {
  assert.is(fromHex('0100007F'), '127.0.0.1')
  const server = createServer().listen(0, '127.9.8.7')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const client = connect(port, '127.9.8.7')
  await new Promise(resolve => client.once('connect', resolve))
  assert.ok((await addressesInUse()).includes('127.9.8.7'))
  client.destroy()
  server.close()
})

test('what an earlier sandbox left is nobody', () => {
  const line = (own: string, other: string) => `   0: ${own}:A000 ${other}:01BB 02 00000000:00000000`
  const fromOutside = line('020000C0', '507100CB') // 192.0.0.2 to 203.0.113.80
  const ours = line('717100CB', '507100CB') // 203.0.113.113 to 203.0.113.80
  assert.equal(peersIn(`${fromOutside}\n${ours}`), ['203.0.113.80'])
})
