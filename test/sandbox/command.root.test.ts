import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { Status } from '../../src/sandbox/status.ts'
import { suite } from '../support/suite.ts'
import { command } from './machines/world.ts'

const { test, after } = suite('the sandbox command')

const directory = join(mkdtempSync(join(tmpdir(), 'egress-command-')), 'state: of, ours')
const main = join(import.meta.dirname, '../../src/sandbox/main.ts')
const sandbox = (...args: string[]) => command(process.execPath, [main, ...args, '--root', directory], 120_000)
const exec = (host: string, ...words: string[]) =>
  command(process.execPath, [main, 'exec', host, '--root', directory, '--', ...words])
const status = async () => JSON.parse((await sandbox('status', '--json')).stdout) as Status

after(async () => {
  await sandbox('down')
  await command('rm', ['-rf', join(directory, '..')])
})

test('two at once bring up one daemon', async () => {
  const both = await Promise.all([sandbox('up'), sandbox('up')])
  for (const it of both) assert.is(it.code, 0, it.stderr)
  const { daemon } = await status()
  const again = await sandbox('up')
  assert.match(again.stderr, /already/)
  assert.is((await status()).daemon.pid, daemon.pid)
})

test('it writes a configuration for tools of Scaleway, for its owner only', async () => {
  const path = join(directory, 'scw.yaml')
  assert.is(statSync(path).mode & 0o777, 0o600)
  const text = readFileSync(path, 'utf8')
  assert.match(text, /^access_key: SCW[A-Z0-9]{17}$/m)
  assert.match(text, /^secret_key: [0-9a-f-]{36}$/m)
  const secret = /^secret_key: (.*)$/m.exec(text)![1]!
  const { scaleway } = await status()
  const url = `${scaleway.url}/vpc/v2/regions/fr-par/vpcs`
  assert.is((await fetch(url, { headers: { 'x-auth-token': secret } })).status, 200)
  assert.is((await fetch(url)).status, 401)
})

test('exec passes streams and exit codes, and names the hosts it knows', async () => {
  const { code, stdout, stderr } = await exec('internet', 'sh', '-c', 'echo out; echo err >&2; exit 4')
  assert.equal([code, stdout, stderr], [4, 'out\n', 'err\n'])
  const wrong = await exec('nobody', 'true')
  assert.is(wrong.code, 2)
  assert.match(wrong.stderr, /^✖ there is no host nobody\n {2}why {3}.*internet\n {2}next /)
})

test('after a kill -9 the next one is the same sandbox', async () => {
  assert.is((await sandbox('partner', '203.0.113.77')).stdout, '203.0.113.77\n')
  const before = await status()
  process.kill(before.daemon.pid, 'SIGKILL')
  while (existsSync(`/proc/${before.daemon.pid}/fd/0`)) await new Promise(it => setTimeout(it, 10))
  assert.is((await sandbox('status')).code, 1)
  assert.is((await sandbox('up')).code, 0)
  const now = await status()
  assert.is(now.scaleway.url, before.scaleway.url)
  assert.is(now.internet.partner.admits, '203.0.113.77')
  assert.is.not(now.daemon.pid, before.daemon.pid)
})

test("the partner's firewall is changed through its own API, and outlives the daemon", async () => {
  const { firewall } = (await status()).internet.partner
  assert.is(statSync(firewall.key).mode & 0o777, 0o600)
  const rules = `${firewall.url}/networks/${firewall.network}/firewall-rules`
  const headers = { authorization: `Bearer ${readFileSync(firewall.key, 'utf8').trim()}` }
  assert.is((await fetch(rules)).status, 401)
  const body = JSON.stringify({ rule: '198.51.100.0/28' })
  assert.is((await fetch(rules, { method: 'POST', headers, body })).status, 201)
  assert.is((await sandbox('partner')).stdout, '203.0.113.77 198.51.100.0/28\n')
  const { stdout: inForce } = await exec('internet', 'nft', 'list', 'table', 'ip', 'partner')
  assert.match(inForce, /tcp dport 5432 ip saddr 198\.51\.100\.0\/28 accept.*tcp dport 5432 drop/s)
  assert.is((await sandbox('partner', 'none')).stdout, 'none\n')
})

test('conditions are shown, set from a file, refused and cleared', async () => {
  const file = join(directory, '..', 'weather.json')
  writeFileSync(file, '{"faults":[{"do":{"status":503}}]}')
  assert.equal(JSON.parse((await sandbox('conditions')).stdout), {})
  const set = await sandbox('conditions', file)
  assert.equal(JSON.parse(set.stdout), { faults: [{ do: { status: 503 } }] })
  const { scaleway } = await status()
  assert.is((await fetch(`${scaleway.url}/vpc/v2/regions/fr-par/vpcs`)).status, 503)
  writeFileSync(file, '{"fautls":[]}')
  const wrong = await sandbox('conditions', file)
  assert.is(wrong.code, 2)
  assert.match(wrong.stderr, /no fautls/)
  assert.is((await sandbox('conditions', `${file}.none`)).code, 2)
  assert.equal(JSON.parse((await sandbox('conditions', '--clear')).stdout), {})
  assert.is((await fetch(`${scaleway.url}/vpc/v2/regions/fr-par/vpcs`)).status, 401)
})

test('bad arguments touch nothing and end with 2', async () => {
  for (const args of [['bogus'], ['up', '--bad'], ['partner', 'x'], ['partner', '192.0.2.1/33']])
    assert.is((await sandbox(...args)).code, 2, args.join(' '))
})

test('down, and down again', async () => {
  const { daemon } = await status()
  assert.is((await sandbox('down')).code, 0)
  assert.is(existsSync(`/proc/${daemon.pid}/fd/0`), false)
  assert.is(existsSync(directory), false)
  assert.is((await sandbox('down')).code, 0)
})
