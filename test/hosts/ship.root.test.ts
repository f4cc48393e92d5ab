import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import * as assert from 'uvu/assert'
import { shipTasks } from '../../src/hosts/ship.ts'
import { auditLine } from '../policy/lines.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('the audit log goes away by a real rsyslog', { seconds: 120 })

const folder = mkdtempSync(join(tmpdir(), 'egress-ship-'))
const at = (name: string) => join(folder, name)
const log = at('audit.log')
const env = { ...process.env, PATH: `${at('bin')}:${process.env.PATH}` }
const run = (file: string, ...args: string[]) =>
  execFileSync(file, args, { cwd: folder, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

/** Debian's packages, beside the system: nothing of it is installed. */
const unpack = () => {
  const names = ['rsyslog', 'rsyslog-gnutls', 'libestr0', 'libfastjson4', 'liblognorm5']
  const fetch = () => run('apt-get', 'download', '-q', ...names)
  try {
    fetch()
  } catch {
    run('apt-get', 'update', '-q')
    fetch()
  }
  for (const it of readdirSync(folder).filter(it => it.endsWith('.deb'))) run('dpkg-deb', '-x', it, at('root'))
  const library = run('sh', '-c', 'dirname root/usr/lib/*/libestr.so.0').trim()
  mkdirSync(at('bin'))
  const program = `#!/bin/sh\nLD_LIBRARY_PATH=${at(library)} exec ${at('root/usr/sbin/rsyslogd')} -M ${at(library)}/rsyslog "$@"\n`
  writeFileSync(at('bin/rsyslogd'), program, { mode: 0o755 })
}

const certify = (name: string) => {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=test']
  run('openssl', 'req', '-x509', ...curve, '-keyout', `${name}-ca.key`, '-out', `${name}-ca.pem`, '-days', '2')
  run('openssl', 'req', ...curve, '-keyout', `${name}.key`, '-out', `${name}.csr`)
  writeFileSync(at(`${name}.ext`), 'subjectAltName=DNS:collector.example\n')
  run(
    'openssl',
    ...['x509', '-req', '-in', `${name}.csr`, '-CA', `${name}-ca.pem`, '-CAkey', `${name}-ca.key`, '-CAcreateserial'],
    ...['-out', `${name}.pem`, '-extfile', `${name}.ext`, '-days', '2'],
  )
}

let server: Server
let daemon: ChildProcess
let port = 0
const sockets = new Set<TLSSocket>()
const received: string[] = []

/** Takes what comes, in frames of RFC 5425: length, blank, message. */
const collect = async (name: string) => {
  server = createServer({ key: readFileSync(at(`${name}.key`)), cert: readFileSync(at(`${name}.pem`)) }, socket => {
    sockets.add(socket)
    let rest = ''
    socket.on('error', () => {})
    socket.on('data', chunk => {
      rest += chunk.toString('latin1')
      for (;;) {
        const [head = '', length = ''] = /^(\d+) /.exec(rest) ?? []
        if (!head || rest.length < head.length + Number(length)) return
        received.push(rest.slice(head.length, head.length + Number(length)))
        rest = rest.slice(head.length + Number(length))
      }
    })
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
}

const hangUp = async () => {
  for (const it of sockets) it.destroy()
  sockets.clear()
  await new Promise(resolve => server.close(resolve))
}

const fileTask = () => {
  const { tasks } = shipTasks(
    { rsyslog: { host: '127.0.0.1', port, peer: 'collector.example', ca: at('good-ca.pem') } },
    log,
  )
  const task = tasks.find(it => it.task === 'file')
  if (task?.task !== 'file') throw new Error('no file is written')
  return task
}

const accepts = (content: string) => {
  writeFileSync(at('candidate'), content)
  return spawnSync('sh', ['-c', fileTask().check!.replaceAll('{}', at('candidate'))], { env, encoding: 'utf8' })
}

const until = async (what: () => boolean, seconds = 40) => {
  for (let n = 0; n < seconds * 20 && !what(); n++) await sleep(50)
}

const lines = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) =>
    auditLine({ host: `n${from + n}.example`, agent: `%22%0A${'x'.repeat(100)}` }),
  )
const messages = () => received.map(it => it.slice(it.indexOf('{')))

before(async () => {
  unpack()
  certify('good')
  certify('bad')
  await collect('good')
  mkdirSync(at('work'))
  writeFileSync(at('rsyslog.conf'), `global(workDirectory="${at('work')}")\n${fileTask().content}`)
  writeFileSync(log, '')
})

after(async () => {
  const ended = daemon && new Promise(resolve => daemon.once('exit', resolve))
  daemon?.kill('SIGKILL')
  await ended
  for (const it of sockets) it.destroy()
  server?.close()
  rmSync(folder, { recursive: true })
})

test('rsyslogd takes the file, and a bad one is refused before it is in force', () => {
  const good = accepts(fileTask().content)
  assert.is(good.status, 0, good.stdout + good.stderr)
  for (const [from, to] of [
    ['type="omfwd"', 'type="omforward"'],
    ['queue.maxDiskSpace', 'queue.maxDisk'],
    ['\n}', '\n'],
  ] as const)
    assert.is.not(accepts(fileTask().content.replace(from, to)).status, 0, to)
  renameSync(at('good-ca.pem'), at('away.pem'))
  const lacking = accepts(fileTask().content)
  assert.is(lacking.status, 1)
  assert.match(lacking.stdout, 'good-ca.pem is not there')
  renameSync(at('away.pem'), at('good-ca.pem'))
})

test('every line arrives as it is, once, in its order, and across a rotation', async () => {
  daemon = spawn('rsyslogd', ['-n', '-f', at('rsyslog.conf'), '-i', at('pid')], { env, stdio: 'ignore' })
  appendFileSync(log, `${lines(0, 500).join('\n')}\n`)
  await until(() => received.length >= 500)
  assert.equal(messages(), lines(0, 500))
  assert.match(received[0]!, /^<134>1 \d{4}-\d\d-\d\dT\S+ \S+ kapsule-egress - audit - \{"time":/)
  renameSync(log, `${log}.1`)
  writeFileSync(log, `${lines(500, 100).join('\n')}\n`)
  await until(() => received.length >= 600)
  assert.equal(messages(), lines(0, 600))
})

test('what a collector that is away misses comes when it is back', async () => {
  await hangUp()
  // What was written into a connection that is already dead is lost to TCP, so it is noticed first.
  appendFileSync(log, '\n')
  await sleep(1000)
  appendFileSync(log, `${lines(600, 300).join('\n')}\n`)
  await sleep(1000)
  received.length = 0
  await collect('good')
  const wanted = lines(600, 300)
  await until(() => wanted.every(it => messages().includes(it)), 60)
  assert.equal(
    wanted.filter(it => !messages().includes(it)),
    [],
  )
})

test('who cannot show the right certificate gets nothing', async () => {
  await hangUp()
  await collect('bad')
  received.length = 0
  appendFileSync(log, `${lines(900, 50).join('\n')}\n`)
  await until(() => received.length > 0, 12)
  assert.equal(received, [])
})
