import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import * as assert from 'uvu/assert'
import { makeCheckout } from '../support/checkout.ts'
import { suite } from '../support/suite.ts'
import { looksAt, ok, type Summary, summaryOf } from './looks.ts'

const { test, after } = suite('runbooks', { seconds: 600 })
const checkout = makeCheckout()
const { run } = checkout
const { cloud, inPod } = looksAt(checkout)
after(() => checkout.remove())

/** As an operator types it, from another directory. */
const runbook = async (name: string, ...args: string[]) => {
  const zx = join(checkout.directory, 'node_modules/.bin/zx')
  const file = join(checkout.directory, 'playbooks/runbooks', `${name}.md`)
  const { exitCode, all } = await execa(process.execPath, [zx, file, ...args], {
    ...{ cwd: '/', reject: false, all: true, stdin: 'ignore' as const, timeout: 500_000, env: { NO_COLOR: '1' } },
  })
  assert.not.ok(existsSync(`${file}.mjs`), 'nothing is left beside it')
  return { code: exitCode, all: String(all) }
}
const done = ({ code, all }: Awaited<ReturnType<typeof runbook>>) => assert.is(code, 0, all.slice(-4000))

const file = (tenant: string) => join(checkout.directory, `inventory/sandbox/tenants/${tenant}.yaml`)
const change = (tenant: string, from: string | RegExp, to: string) => {
  const text = readFileSync(file(tenant), 'utf8')
  assert.is.not(text.replace(from, to), text, 'it is there to be changed')
  writeFileSync(file(tenant), text.replace(from, to))
}
const servers = async () => {
  const { instance } = await cloud()
  const { servers } = await instance.listServers({})
  return new Map(servers.map(it => [it.name, it.id]))
}
let outputs: Summary['outputs']

for (const { when, name, args, says } of [
  { when: 'a flag that is not there', name: 'switch-a-tenant', args: ['--tenat', 'client-a'], says: /--tenat/ },
  { when: 'a flag that is missing', name: 'replace-a-proxy', args: [], says: /missing: --proxy/ },
  { when: 'a word that no flag takes', name: 'gateway-lost', args: ['client-a'], says: /client-a/ },
  {
    when: 'a flag without its word',
    name: 'add-a-domain',
    args: ['--tenant', 'client-a', '--domain'],
    says: /--domain/,
  },
  { when: 'the same in the one that takes back', name: 'roll-back', args: ['--to', 'start'], says: /--to/ },
])
  test(`${when} ends a runbook before anything is looked at`, async () => {
    const { code, all } = await runbook(name, ...args)
    assert.is(code, 2, all)
    assert.match(all, says)
    assert.match(all, /flags: .*--context[\s\S]*nothing was touched/)
    assert.not.match(all, /\n\s+at /, 'no stack')
    assert.not.ok(existsSync(join(checkout.directory, '.egress')))
  })

test('switching a tenant moves it alone, and its pods are seen with its own address', async () => {
  done(await runbook('switch-a-tenant', '--tenant', 'client-b'))
  const looked = await run('status.mjs', '--json')
  ok(looked)
  outputs = summaryOf(looked).outputs
  const { workloads } = looked.events.find(it => it.event === 'status') as unknown as { workloads: Row[] }
  assert.equal(
    workloads.filter(it => it.gates === 'passed').map(it => it.tenant),
    ['client-b'],
  )
  const seen = await inPod('client-b-demo', 'curl -s -m 10 https://whatismyip.example/')
  assert.is(seen.stdout.trim(), outputs.proxies['proxy-client-b']!.public_ip)
})

type Row = { tenant: string; gates: string }

test('a domain is added when the inventory has it, and reached then', async () => {
  const asked = ['--tenant', 'client-b', '--domain', 'api.partner.example']
  const status = () =>
    inPod('client-b-demo', 'curl -s -o /dev/null -m 10 -w "%{http_connect}" https://api.partner.example/')
  const refused = await runbook('add-a-domain', ...asked)
  assert.is(refused.code, 2, refused.all)
  assert.match(refused.all, /write the entry first/)
  assert.is((await status()).stdout, '403')
  change('client-b', /^( +)allow:\n/m, '$1allow:\n$1  - { domain: api.partner.example }\n')
  const added = await runbook('add-a-domain', ...asked)
  done(added)
  assert.match(added.all, /\+ allow api\.partner\.example/)
  assert.is((await status()).stdout, '200')
})

test('a proxy is replaced when there is a reason, and keeps its address', async () => {
  const asked = ['--proxy', 'proxy-client-b']
  const needless = await runbook('replace-a-proxy', ...asked)
  assert.is(needless.code, 2, needless.all.slice(-3000))
  assert.match(needless.all, /nothing would change/)
  const was = await servers()
  change('client-b', 'PLAY2-PICO', 'PLAY2-NANO')
  done(await runbook('replace-a-proxy', ...asked))
  const now = await servers()
  assert.is.not(now.get('proxy-client-b'), was.get('proxy-client-b'))
  const seen = await inPod('client-b-demo', 'curl -s -m 10 https://whatismyip.example/')
  assert.is(seen.stdout.trim(), outputs.proxies['proxy-client-b']!.public_ip)
})

test('what carried the traffic is lost, and made again with its address', async () => {
  const { instance } = await cloud()
  const serverId = (await servers()).get('proxy-client-b')!
  await instance.serverAction({ serverId, action: 'terminate' })
  for (let tries = 0; (await servers()).has('proxy-client-b'); tries++) {
    assert.ok(tries < 600, 'it does not go')
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  const lost = await inPod('client-b-demo', 'curl -s -m 3 https://whatismyip.example/')
  assert.is.not(lost.exitCode, 0, 'workloads that have moved fail closed')
  done(await runbook('gateway-lost'))
  const seen = await inPod('client-b-demo', 'curl -s -m 10 https://whatismyip.example/')
  assert.is(seen.stdout.trim(), outputs.proxies['proxy-client-b']!.public_ip)
})

test('one tenant is taken back, the other stays', async () => {
  done(await runbook('roll-back', '--tenant', 'client-b'))
  const [b, a] = await Promise.all(
    ['client-b-demo', 'client-a-demo'].map(it => inPod(it, 'curl -s -m 10 https://whatismyip.example/')),
  )
  assert.is(b!.stdout.trim(), outputs.gateway_public_ip)
  assert.is(
    a!.stdout.trim(),
    (await run('status.mjs', '--json').then(summaryOf)).outputs.proxies['proxy-client-a']!.public_ip,
  )
})

test('a runbook stops at the first step that fails, with its exit code', async () => {
  writeFileSync(file('client-b'), `${readFileSync(file('client-b'), 'utf8')}nonsense: true\n`)
  const { code, all } = await runbook('switch-a-tenant', '--tenant', 'client-b')
  assert.is(code, 2, all)
  assert.match(all, /stopped: status\.mjs ended with 2; steps after it were not begun/)
  assert.not.match(all, /\n2\. /)
})
