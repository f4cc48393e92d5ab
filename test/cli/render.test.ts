import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { parse, parseAllDocuments } from 'yaml'
import { makeCheckout } from '../support/checkout.ts'
import { suite } from '../support/suite.ts'

const { test, after } = suite('--render')
const golden = new URL('../golden/render/', import.meta.url).pathname
const { directory, start, state } = makeCheckout()
const out = mkdtempSync(join(tmpdir(), 'egress-render-'))
after(() => {
  for (const it of [directory, out]) rmSync(it, { recursive: true, force: true })
})

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(it => statSync(join(folder, it)).isFile())
    .sort()

/** The hosts' own files, without the play beside them. */
const onDisk = (folder: string) => filesIn(folder).filter(it => it.includes('/'))

test('writes what each host of the sandbox would get, and starts no sandbox for it', async () => {
  const { exitCode, stderr } = await start('40-configure.mjs', ['--render', out])
  assert.is(exitCode, 0, stderr)
  if (process.env.UPDATE) {
    rmSync(golden, { recursive: true, force: true })
    for (const it of onDisk(out)) {
      mkdirSync(dirname(join(golden, it)), { recursive: true })
      writeFileSync(join(golden, it), readFileSync(join(out, it)))
    }
  }
  assert.equal(onDisk(out), filesIn(golden))
  for (const it of filesIn(golden))
    assert.fixture(readFileSync(join(out, it), 'utf8'), readFileSync(join(golden, it), 'utf8'))
  assert.not(existsSync(join(directory, '.egress')), 'nothing was started')
  assert.not(existsSync(state))
})

test('and the rest of each play beside them, without the contents', () => {
  const text = readFileSync(join(out, 'proxy-client-a.yaml'), 'utf8')
  const { tasks, handlers } = parse(text) as { tasks: Record<string, unknown>[]; handlers: Record<string, string> }
  const files = tasks.filter(it => it.task === 'file').map(it => `proxy-client-a${it.path}`)
  assert.equal(
    files.sort(),
    onDisk(out).filter(it => it.startsWith('proxy-client-a/')),
  )
  assert.ok(tasks.some(it => it.task === 'ufw'))
  for (const it of tasks.flatMap(it => (it.notify ?? []) as string[])) assert.type(handlers[it], 'string')
  assert.not.match(text, 'visible_hostname')
})

test('again, over what is there, in modes and order the same', async () => {
  const { exitCode, stdout } = await start('40-configure.mjs', ['--render', out, '--limit', 'client-a', '--json'])
  assert.is(exitCode, 0)
  assert.equal(onDisk(out), filesIn(golden))
  assert.is(statSync(join(out, 'proxy-client-a/etc/squid/squid.conf')).mode & 0o777, 0o644)
  assert.not.match(stdout, 'proxy-client-b')
  assert.match(stdout, '"event":"rendered","host":"proxy-client-a"')
})

test('of a gateway in the cluster: its manifests and its policy', async () => {
  const file = join(directory, 'inventory/sandbox/tenants/client-b.yaml')
  const before = readFileSync(file, 'utf8')
  const gateway = before.replace('via: proxy-vm', 'via: gateway-pod').replace(/ {2}proxy: .*\n/, '')
  try {
    writeFileSync(file, gateway)
    const { exitCode, stderr } = await start('40-configure.mjs', ['--render', join(out, 'pods')])
    assert.is(exitCode, 0, stderr)
  } finally {
    writeFileSync(file, before)
  }
  const manifests = parseAllDocuments(readFileSync(join(out, 'pods/egress-client-b.yaml'), 'utf8')).map(it => it.toJS())
  assert.equal(
    manifests.map(it => it.kind),
    ['Service', 'NetworkPolicy', 'ConfigMap', 'PodDisruptionBudget', 'Deployment'],
  )
  assert.match(readFileSync(join(out, 'pods/egress-client-b/client-b.policy'), 'utf8'), /^tenant\tclient-b$/m)
  assert.not(existsSync(join(out, 'pods/proxy-client-b')))
})

test('below /proc, where nothing can be made, it ends with 2 and at all', async () => {
  const { exitCode, stderr } = await start('40-configure.mjs', ['--render', '/proc/nothing/below'])
  assert.is(exitCode, 2)
  assert.match(stderr, 'cannot be written')
})

test('a directory that cannot be written to ends with 2', async () => {
  writeFileSync(join(out, 'file'), '')
  const { exitCode, stderr } = await start('40-configure.mjs', ['--render', join(out, 'file', 'below')])
  assert.is(exitCode, 2)
  assert.match(stderr, 'cannot be written')
})
