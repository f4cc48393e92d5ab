import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { isOpenHere } from '../../src/hosts/listeners.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('who listens on a port')

const succeeds = (script: string): boolean => {
  try {
    execFileSync('/bin/sh', ['-c', script], { env: { PATH: '/none' } })
    return true
  } catch {
    return false
  }
}

test('without any process the shell hears who listens, of either family', async () => {
  const heard = (port: number) => succeeds(`${isOpenHere(port)}\nis_open`)
  for (const host of ['127.0.0.1', '::']) {
    const server = createServer()
    await new Promise<void>(resolve => void server.listen(0, host, resolve))
    const { port } = server.address() as { port: number }
    assert.is(heard(port), true)
    await new Promise(resolve => server.close(resolve))
    assert.is(heard(port), false)
  }
})

test('a port is looked at when sockets came or went, and every fifth time all the same', () => {
  const functions = readFileSync(new URL('../../src/hosts/step.sh', import.meta.url), 'utf8')
  // The kernel's counts are those of a whole machine: here they are files.
  const counts = mkdtempSync(join(tmpdir(), 'egress-sockets-'))
  const asked = (n: number, ...steps: string[]) =>
    succeeds(`${functions.replaceAll('/proc/net/', `${counts}/`)}
put() { printf 'sockets: used 9\nTCP: inuse %s orphan 0 tw 2\nUDP: inuse 7 mem 0\n' "$1" >${counts}/sockstat; }
put 3; stirs 0 || exit 2
${steps.join('\n')}
stirs ${n}`)
  assert.is(asked(1), false)
  assert.is(asked(1, 'put 4'), true)
  assert.is(asked(1, 'put 4', 'stirs 1', 'stirs 2 || :'), false)
  assert.is(asked(5), true)
  rmSync(counts, { recursive: true })
})
