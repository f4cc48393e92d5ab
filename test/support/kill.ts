import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { look } from '../../src/hosts/exchange.ts'
import type { Damage } from './damage.ts'
import { bytesOf, harm, holdTrue, picture, type TrueHost } from './truth.ts'

const program = fileURLToPath(new URL('./controller.ts', import.meta.url))

/**
 * Damages a host, lets a real process mend it, and kills that `ms` after it has looked. Whatever it had come to: files
 * are whole, Squid is up where it was, and a clean run ends as ever. Returns the last that the process had said.
 */
export const killedAfter = async (it: TrueHost, damage: Damage[], ms: number): Promise<string> => {
  const { host, ssh, want } = it
  harm(host, damage)
  const files = want.tasks.filter(task => task.task === 'file')
  const was = files.map(({ path }) => bytesOf(host, path)?.toString())
  const ran = picture(host).get('squid') === 'runs'
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  let said = ''
  const looked = new Promise<void>(resolve => {
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk
      if (said.includes('looked')) resolve()
    })
  })
  child.stdin.end(JSON.stringify(want))
  await Promise.race([looked, ended])
  await sleep(ms)
  child.kill('SIGKILL')
  await ended
  // The host ends by itself what it has begun; a look waits for that.
  await look(ssh, host.address, [], {})
  for (const [n, { path, content }] of files.entries()) {
    const now = bytesOf(host, path)?.toString()
    assert.ok(now === was[n] || now === content, `${path} is neither the old nor the new`)
  }
  const now = picture(host)
  const left = [...now.keys()].filter(path => /\.kapsule-egress\b.*new$/.test(path))
  assert.equal(left, [], 'candidates were left behind')
  if (ran) assert.is(now.get('squid'), 'runs', 'Squid was up and is down')
  await holdTrue(it, [])
  return said.trim().split('\n').at(-1) ?? ''
}
