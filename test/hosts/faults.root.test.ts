import * as assert from 'uvu/assert'
import { openJournal, readJournals } from '../../src/engine/journal.ts'
import { Problem } from '../../src/engine/problem.ts'
import { hostPlay } from '../../src/hosts/play.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import { dice } from '../bench/dice.ts'
import { damageOf } from '../support/damage.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { killedAfter } from '../support/kill.ts'
import { quiet } from '../support/plays.ts'
import { suite } from '../support/suite.ts'
import { differing, harm, holdTrue, picture, type TrueHost, trueHost } from '../support/truth.ts'

const { test, before, after } = suite('hosts that cannot be written, and processes that die')

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 20 })
let host: TestHost
let it: TrueHost

before(async () => {
  host = await makeHost(6)
  it = await trueHost(host, ssh)
})

after(async () => {
  await ssh.close()
  await host?.down()
})

const state = '/var/lib/kapsule-egress'
/** The same files on a disk of their own, which is full to the last byte but for what `free` gives back. */
const full = (path: string) => `cp -a ${path} /run/copy; mount -t tmpfs -o size=64m,mode=755 tmpfs ${path}
cp -a /run/copy/. ${path}/; rm -rf /run/copy; cat /dev/zero >${path}/filler 2>/dev/null || :`
const readOnly = (path: string) => `mount --bind ${path} ${path}; mount -o remount,ro,bind ${path}`

const squidFile = { name: 'a file of squid', run: "echo '# x' >>/etc/squid/squid.conf" }
const rules = { name: 'rules', run: 'ufw delete allow proto tcp from 192.0.2.128/25 to any port 3129' }

for (const { when, path, make, damage, why } of [
  { when: 'no room for its own state', path: state, make: full, damage: [squidFile, rules], why: /No space left/i },
  { when: 'its own state read-only', path: state, make: readOnly, damage: [squidFile, rules], why: /Read-only/i },
  { when: 'no room in /etc', path: '/etc', make: full, damage: [squidFile], why: /No space left/i },
  { when: 'no room in /etc for the firewall', path: '/etc', make: full, damage: [rules], why: /No space left|28/i },
  { when: '/etc read-only', path: '/etc', make: readOnly, damage: [squidFile, rules], why: /Read-only/i },
  { when: '/etc read-only under the firewall', path: '/etc', make: readOnly, damage: [rules], why: /Read-only/i },
])
  test(`${when}: a problem that says so, everything as before, and mended when there is room`, async () => {
    harm(host, damage)
    host.sh(make(path))
    const was = picture(host)
    try {
      const seen = await hostPlay.read(it.want, { ssh }, quiet)
      assert.ok(hostPlay.diff(it.want, seen))
      const thrown = (await hostPlay.apply(it.want, { ssh }, seen, quiet).catch((error: unknown) => error)) as Problem
      assert.instance(thrown, Problem)
      assert.match(`${thrown.message}\n${thrown.why}`, /^test-6: .*the host is as it was before/)
      assert.match(thrown.why, why)
      assert.equal(differing(was, picture(host)), [])
    } finally {
      host.sh(`umount ${path}`)
    }
    assert.equal((await holdTrue(it, damage)).length > 0, true)
  })

test('a journal that cannot be written is told at the end, and ends neither the process nor the change', async () => {
  harm(host, [squidFile, rules])
  const seen = await hostPlay.read(it.want, { ssh }, quiet)
  const noRoom = new Problem('the journal could not be written', { why: 'ENOSPC', next: 'make room' })
  const progress = () => {
    throw noRoom
  }
  const thrown = await hostPlay.apply(it.want, { ssh }, seen, { ...quiet, progress }).catch((error: unknown) => error)
  assert.is(thrown, noRoom)
  assert.equal(await holdTrue(it, []), [], 'the change was made all the same')
})

test('a journal on a full disk says so, and what comes after half a line is read', () => {
  const { mkdirSync, rmSync } = process.getBuiltinModule('node:fs')
  const { execFileSync } = process.getBuiltinModule('node:child_process')
  const directory = `/tmp/kapsule-egress-journal-${process.pid}`
  mkdirSync(directory)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory])
  try {
    const journal = openJournal(directory, 'r')
    let written = 0
    const fill = () => {
      for (; written < 100; written++) journal.record({ event: 'progress', step: 's', part: 'x'.repeat(3000) })
    }
    assert.throws(fill, (error: unknown) => error instanceof Problem && /ENOSPC/.test(error.why))
    assert.ok(written > 5 && written < 30)
    execFileSync('mount', ['-o', 'remount,size=256k', directory])
    journal.record({ event: 'run-ended', status: 'failed' })
    journal.close()
    const events = readJournals(directory)
    assert.is(events.length, written + 1)
    assert.is(events.at(-1)?.event, 'run-ended')
  } finally {
    execFileSync('umount', ['--lazy', directory])
    rmSync(directory, { recursive: true })
  }
})

// `npm run bench -- kills` has fifty of them.
for (const seed of [2, 3]) {
  const rolled = dice(seed)
  // The first rule is the one that lets a new process in.
  const damage = damageOf(rolled).filter(({ refused, name }) => !refused && name !== 'a rule not in the kernel')
  const ms = rolled.between(0, 1500)
  test(`killed after ${ms} ms: ${damage.map(({ name }) => name).join('; ')}`, async () => {
    await killedAfter(it, damage, ms)
  })
}
