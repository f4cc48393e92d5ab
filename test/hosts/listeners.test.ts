import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { listeners } from '../../src/hosts/listeners.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('who listens on a port')

test('the kernel’s tables say what ss says, where there is none', async () => {
  const without = mkdtempSync(join(tmpdir(), 'egress-listeners-'))
  symlinkSync('/bin/sed', join(without, 'sed'))
  const ask = (port: number, PATH: string) =>
    execFileSync('/bin/sh', ['-c', listeners(port)], { env: { PATH }, encoding: 'utf8' })
  const inodes = (text: string) => [...text.matchAll(/\bino:(\d+) /g)].map(it => it[1])
  for (const host of ['127.0.0.1', '::']) {
    const server = createServer()
    await new Promise<void>(resolve => void server.listen(0, host, resolve))
    const { port } = server.address() as { port: number }
    const [asked, read] = [process.env.PATH!, without].map(it => inodes(ask(port, it)))
    assert.is(read?.length, 1)
    assert.equal(asked, read)
    await new Promise(resolve => server.close(resolve))
    assert.is(ask(port, without), '')
    assert.is(ask(port, process.env.PATH!), '')
  }
  rmSync(without, { recursive: true })
})
