import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  accessSync,
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { shipTasks } from '../../src/hosts/ship.ts'
import { auditLine } from '../policy/lines.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'

const { test, before, after } = suite('the audit log goes away by a real Fluent Bit', { seconds: 200 })

/** In no release of Debian: where its own packages put it, or FLUENT_BIT. */
const program = process.env.FLUENT_BIT ?? '/opt/fluent-bit/bin/fluent-bit'
const isThere = (() => {
  try {
    accessSync(program)
    return true
  } catch {
    console.log(`skipped, all of it: no ${program} (Fluent Bit's own packages; or name one in FLUENT_BIT)`)
    return false
  }
})()

const tried: typeof test = isThere ? test : () => undefined

const folder = mkdtempSync(join(tmpdir(), 'egress-fluent-'))
const at = (name: string) => join(folder, name)
const log = at('audit.log')
let port = 0

const certify = (name: string) => {
  const run = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  if (!existsSync(at('ca.pem')))
    run('req', '-x509', ...curve, '-subj', '/CN=ca', '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2')
  run('req', ...curve, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`)
  writeFileSync(at('ext'), `subjectAltName=DNS:${name}\n`)
  const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'ext', '-days', '2']
  run('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.pem`)
}

/** What a proxy gets, with its state in our folder. */
const rendered = () => {
  const fluentBit = { host: '127.0.0.1', port, peer: 'collector.example', ca: at('ca.pem') }
  const task = shipTasks({ fluentBit }, log).tasks.find(it => it.task === 'file' && it.path.includes('fluent-bit'))
  if (task?.task !== 'file') throw new Error('no file is written')
  const here = (text: string) =>
    text.replaceAll('/var/lib/kapsule-egress/fluent-bit', folder).replaceAll('/opt/fluent-bit/bin/fluent-bit', program)
  return { content: here(task.content), check: here(task.check!) }
}

const running = new Set<ChildProcess>()
const start = (name: string, content: string) => {
  writeFileSync(at(`${name}.conf`), content)
  const child = spawn(program, ['-c', at(`${name}.conf`)], { stdio: 'ignore' })
  running.add(child)
  return child
}
const stop = async (child: ChildProcess) => {
  const ended = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
  running.delete(child)
}
/** Another Fluent Bit, which writes what it gets to a file. */
const collect = (name: string) =>
  start(
    'collector',
    `[SERVICE]\n    Flush 0.2\n[INPUT]\n    Name forward\n    Listen 127.0.0.1\n    Port ${port}
    tls on\n    tls.verify off\n    tls.crt_file ${at(`${name}.pem`)}\n    tls.key_file ${at(`${name}.key`)}
[OUTPUT]\n    Name file\n    Match *\n    Path ${folder}\n    File got\n    Format plain\n`,
  )
const received = () =>
  existsSync(at('got'))
    ? readFileSync(at('got'), 'utf8')
        .split('\n')
        .filter(it => it.endsWith('}'))
        .map(it => (JSON.parse(it) as { log: string }).log)
    : []

const lines = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) =>
    auditLine({ host: `n${from + n}.example`, agent: `%22%0A${'x'.repeat(100)}` }),
  )
const put = (from: number, count: number) => appendFileSync(log, `${lines(from, count).join('\n')}\n`)
const has = (wanted: string[]) => {
  const got = new Set(received())
  return wanted.every(it => got.has(it))
}

before(async () => {
  if (!isThere) return
  for (const it of ['collector.example', 'other.example']) certify(it)
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  port = (server.address() as { port: number }).port
  await new Promise(resolve => server.close(resolve))
  writeFileSync(log, '')
})

after(async () => {
  for (const it of running) await stop(it)
  rmSync(folder, { recursive: true })
})

tried('the file is taken, and a bad one is refused before it is in force', () => {
  const { content, check } = rendered()
  const accepts = (text: string) => {
    writeFileSync(at('candidate'), text)
    return spawnSync('sh', ['-c', check.replaceAll('{}', at('candidate'))], { encoding: 'utf8' })
  }
  const good = accepts(content)
  assert.is(good.status, 0, good.stdout + good.stderr)
  for (const [from, to] of [
    ['Require_ack_response', 'Require_acks'],
    ['tls.verify_hostname', 'tls.verify_hosts'],
    ['[OUTPUT]', '[OUTPUT'],
  ] as const)
    assert.is.not(accepts(content.replace(from, to)).status, 0, to)
})

tried(
  'every line arrives as it is: over a rotation, a collector that was away, and a kill of the shipper',
  async () => {
    let collector = collect('collector.example')
    let shipper = start('shipper', rendered().content)
    put(0, 500)
    assert.ok(await until(() => has(lines(0, 500)), 40))
    renameSync(log, `${log}.1`)
    writeFileSync(log, '')
    put(500, 100)
    assert.ok(await until(() => has(lines(500, 100)), 40))
    assert.equal(received(), lines(0, 600), 'once, in their order')
    await stop(collector)
    put(600, 300)
    collector = collect('collector.example')
    assert.ok(await until(() => has(lines(600, 300)), 60))
    await stop(shipper)
    put(900, 50)
    shipper = start('shipper', rendered().content)
    assert.ok(await until(() => has(lines(0, 950)), 60))
    for (const it of [shipper, collector]) await stop(it)
  },
)

tried('a collector with a certificate for another name gets nothing', async () => {
  const collector = collect('other.example')
  const shipper = start('shipper', rendered().content)
  put(950, 20)
  assert.not(await until(() => has(lines(950, 1)), 8))
  await stop(shipper)
  // The same without the check of the name: it is this that kept them back.
  const careless = start('shipper', rendered().content.replace(/.*verify_hostname.*\n/, ''))
  assert.ok(await until(() => has(lines(950, 20)), 60))
  for (const it of [careless, collector]) await stop(it)
})
