import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa, execaSync } from 'execa'
import * as assert from 'uvu/assert'
import { makeCheckout } from '../support/checkout.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('the real ansible with our inventory', { seconds: 200 })
const { directory, run, remove } = makeCheckout()
after(remove)

const tool = (file: string, ...args: string[]) =>
  execa(file, args, { reject: false, stdin: 'ignore', timeout: 100_000, cwd: '/', env: { ANSIBLE_NOCOLOR: '1' } })

const present = execaSync('ansible', ['--version'], { reject: false }).exitCode === 0
if (!present) console.log('- ansible is not installed: only our own side of its contract is tried')

const script = join(directory, 'scripts', 'inventory.mjs')
const contextFile = join(directory, 'inventory', 'sandbox', 'context.yaml')
const hosts = ['proxy-client-a', 'proxy-client-b']

type Listed = { _meta: { hostvars: Record<string, Record<string, string>> } } & Record<
  string,
  { hosts?: string[]; children?: string[]; vars?: Record<string, string> }
>

const list = async () => JSON.parse((await run('inventory.mjs', '--list')).stdout) as Listed

/** ansible, where it is; plain OpenSSH with the same configuration otherwise. */
const ping = async (name: string) => {
  if (present) return (await tool('ansible', '-i', script, name, '-m', 'ping')).stdout
  const { stdout } = await tool('ssh', '-F', join(directory, '.egress/sandbox/ssh_config'), name, 'echo pong')
  return stdout
}

before(async () => {
  const text = readFileSync(contextFile, 'utf8')
  const groups = `groups: { europe: { children: [paris-1] }, paris-1: { vars: { site: dc2 } } }\nvars: { team: egress }\n`
  writeFileSync(contextFile, `${text}${groups}`)
  const tenant = join(directory, 'inventory/sandbox/tenants/client-a.yaml')
  writeFileSync(tenant, `${readFileSync(tenant, 'utf8')}groups: [paris-1]\n`)
})

test('hosts that are not made yet are in no group, and have no variables', async () => {
  const { _meta, tenant_client_a } = await list()
  assert.equal(_meta.hostvars, {})
  assert.equal(tenant_client_a, { hosts: [] })
  assert.is((await run('inventory.mjs', '--host', 'proxy-client-a')).stdout, '{}')
  assert.is((await run('inventory.mjs', '--host', 'nobody')).code, 2)
})

test('--list is what ansible-inventory makes of it', async () => {
  for (const it of ['10-gateway.mjs', '20-proxy.mjs']) assert.is((await run(it, '--yes')).code, 0)
  const ours = await list()
  assert.equal(Object.keys(ours._meta.hostvars), hosts)
  assert.equal(ours.all!.vars, { team: 'egress' })
  assert.equal(ours.europe, { hosts: [], children: ['paris_1'] })
  assert.equal(ours.paris_1, { hosts: ['proxy-client-a'], vars: { site: 'dc2' } })
  const own = await run('inventory.mjs', '--host', 'proxy-client-a')
  assert.equal(JSON.parse(own.stdout), ours._meta.hostvars['proxy-client-a'])
  if (!present) return
  const { stdout, stderr } = await tool('ansible-inventory', '-i', script, '--list')
  assert.not.match(stderr, 'WARNING')
  const theirs = JSON.parse(stdout) as Listed
  for (const it of hosts) {
    // Ansible adds what the groups say, and ours say it of each host already.
    assert.equal(theirs._meta.hostvars[it]!.team, 'egress')
    assert.equal(sorted(theirs._meta.hostvars[it]!), sorted(ours._meta.hostvars[it]!))
  }
  assert.equal(theirs.europe, { children: ['paris_1'] })
  assert.equal(theirs.paris_1, { hosts: ['proxy-client-a'] })
  assert.equal([...theirs.all!.children!].sort(), ['egress', 'europe', 'ungrouped'])
})

test('ansible reaches every host, with its host key known', async () => {
  for (const it of hosts) assert.match(await ping(it), 'pong')
})

test('and none whose host key is another', async () => {
  const known = join(directory, '.egress/sandbox/known_hosts')
  const [a, b] = readFileSync(known, 'utf8').trim().split('\n') as [string, string]
  const key = (line: string) => line.slice(line.indexOf(' '))
  writeFileSync(known, `${a.split(' ')[0]}${key(b)}\n`)
  const { exitCode, stderr } = await tool(
    'ssh',
    '-F',
    join(directory, '.egress/sandbox/ssh_config'),
    ...['-o', 'BatchMode=yes', 'proxy-client-a', 'true'],
  )
  assert.is(exitCode, 255)
  assert.match(stderr, /HOST IDENTIFICATION HAS CHANGED|verification failed/i)
})

test('through the bastion to private addresses, both of us', async () => {
  const { stdout } = await run('status.mjs', '--json')
  const { outputs } = JSON.parse(stdout.trim().split('\n').at(-1)!) as { outputs: { gateway_public_ip: string } }
  const scanned = await tool('ssh-keyscan', '-p', '61000', '-t', 'ed25519', outputs.gateway_public_ip)
  const key = scanned.stdout.split(' ').slice(1).join(' ')
  const text = readFileSync(contextFile, 'utf8')
  writeFileSync(contextFile, text.replace('  user: root\n', '  user: root\n  via: bastion\n'))
  const refused = await run('inventory.mjs', '--list')
  assert.is(refused.code, 2)
  assert.match(refused.stderr, /gateway\.bastion\.hostKeys is missing/)
  writeFileSync(
    contextFile,
    readFileSync(contextFile, 'utf8').replace('    port: 61000\n', `    port: 61000\n    hostKeys: [${key}]\n`),
  )
  const { _meta } = await list()
  assert.equal(
    hosts.map(it => _meta.hostvars[it]!.ansible_host),
    ['172.16.28.8', '172.16.28.9'],
  )
  for (const it of hosts) assert.match(await ping(it), 'pong')
  assert.is((await run('30-cluster.mjs', '--yes')).code, 0)
  const configured = await run('40-configure.mjs', '--yes')
  assert.is(configured.code, 0, configured.stderr)
  for (const it of hosts) assert.match(await ping(it), 'pong')
  assert.is((await run('40-configure.mjs', '--check')).code, 0)
})

const sorted = (it: Record<string, unknown>) => Object.fromEntries(Object.entries(it).sort())
