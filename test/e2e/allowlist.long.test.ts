import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { KubeObject } from '../../src/rollout/kube/object.ts'
import type { Status } from '../../src/sandbox/status.ts'
import { makeCheckout, type Ran } from '../support/checkout.ts'
import { suite } from '../support/suite.ts'
import { looksAt, ok, summaryOf } from './looks.ts'

const { test, before, after } = suite("a partner's firewall, with real packets", { seconds: 390 })
const checkout = makeCheckout()
const { run, start } = checkout
const { kube, inPod } = looksAt(checkout)
after(() => checkout.remove())

const NS = 'client-a-demo'
const THEIRS = '100.64.99.0/24'
const tenants = join(checkout.directory, 'inventory/sandbox/tenants')
const file = join(tenants, 'client-a.yaml')
const told = (it: Ran) => `${it.stdout.slice(-3000)}\n${it.stderr.slice(-2000)}`

let firewall: Status['internet']['partner']['firewall']
let gateway = ''

const partner = async (): Promise<string[]> => {
  const { stdout } = await start('sandbox.mjs', ['partner'])
  return stdout.trim().split(' ').sort()
}

/** What the list is at each moment while something goes on, as a program asks its API. */
const watched = async <T>(work: () => Promise<T>): Promise<{ result: T; lists: string[][] }> => {
  const rules = `${firewall.url}/networks/${firewall.network}/firewall-rules`
  const headers = { authorization: `Bearer ${readFileSync(firewall.key, 'utf8').trim()}` }
  const lists: string[][] = []
  let going = true
  const look = (async () => {
    while (going) {
      const { firewall_rules: now } = (await (await fetch(rules, { headers })).json()) as {
        firewall_rules: { rule: string }[]
      }
      const list = now.map(it => it.rule.replace(/\/32$/, '')).sort()
      if (list.join() !== lists.at(-1)?.join()) lists.push(list)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  })()
  const result = await work().finally(() => {
    going = false
  })
  await look
  return { result, lists }
}

/** Until the newest run has written this down. */
const journalHas = async (part: string) => {
  const runs = join(checkout.state, 'runs')
  for (let n = 0; n < 4000; n++) {
    const newest = readdirSync(runs).sort().at(-1)!
    if (readFileSync(join(runs, newest), 'utf8').includes(part)) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error(`nobody wrote ${part}`)
}

/** As a pod of the tenant sees the partner, with whatever environment it has. */
const asked = async () => {
  const { stdout } = await inPod(NS, 'curl -sk -m 10 https://api.partner.example/')
  return JSON.parse(String(stdout)) as { status?: string; ip: string }
}

before(async () => {
  rmSync(join(tenants, 'client-b.yaml'))
  ok(await run('sandbox.mjs', 'up'))
  const it = await run('10-gateway.mjs', '--json')
  ok(it)
  gateway = summaryOf(it).outputs.gateway_public_ip!
  const { stdout } = await start('sandbox.mjs', ['status', '--json'])
  firewall = (JSON.parse(String(stdout)) as Status).internet.partner.firewall
  ok(await run('sandbox.mjs', 'partner', gateway, THEIRS))
  const list = `externalAllowlist:
    provider: crunchybridge
    network: ${firewall.network}
    url: ${firewall.url}
    key: { file: '${firewall.key}' }
    remove: [${gateway}]
    prove: api.partner.example:5432
    drain: 1s`
  const text = readFileSync(file, 'utf8')
    .replace('soak: 1s }', `soak: 1s }\n  ${list}`)
    .replace('ports: [80, 443] }', 'ports: [80, 443, 5432] }')
  assert.match(text, /443, 5432\].*drain: 1s/s)
  writeFileSync(file, text)
})

test('a deploy adds the proxy, proves it, and takes the gateway out', async () => {
  const { result, lists } = await watched(() => run('deploy.mjs', '--json'))
  ok(result)
  const proxy = summaryOf(result).outputs.proxy_public_ip!
  const sorted = (...all: string[]) => [...all, THEIRS].sort()
  assert.equal(lists, [sorted(gateway), sorted(gateway, proxy), sorted(proxy)], told(result))
  assert.equal(await asked(), { status: 'ok', ip: proxy })
  const stands = await run('status.mjs', '--json')
  const { lists: status } = stands.events.find(it => it.event === 'status') as { lists?: object }
  const list = `Crunchy Bridge network ${firewall.network}`
  assert.equal(status, [{ tenant: 'client-a', list, ours: 'in', toGo: [] }], told(stands))
  const again = await run('deploy.mjs', '--json')
  ok(again)
  assert.equal({ ...summaryOf(again).changes, unchanged: 0 }, { create: 0, update: 0, delete: 0, unchanged: 0 })
  assert.not.match(told(result) + told(again), new RegExp(readFileSync(firewall.key, 'utf8').trim()))
})

test('a rollback lets the gateway in again before it takes a label, and then the proxy out', async () => {
  const { result, lists } = await watched(() => run('rollback.ts', '--to', 'start', '--yes', '--json'))
  ok(result)
  assert.equal(lists.map(it => it.length), [2, 3, 2], told(result)) // biome-ignore format: one line
  assert.equal(lists.at(-1), [gateway, THEIRS].sort())
  const undone = result.events.flatMap(it => (it.event === 'step-undone' ? [String(it.step)] : []))
  const place = (start: string) => undone.findIndex(it => it.startsWith(start))
  assert.ok(place('allowlist-removal') < place('workload-egress'), undone.join('\n'))
  assert.ok(undone.findLastIndex(it => it.startsWith('workload-egress')) < place('allowlist-addition'), undone.join('\n')) // biome-ignore format: one line
  assert.equal(await asked(), { status: 'ok', ip: gateway })
})

test('a pod that nobody moves keeps the gateway in, nothing is taken back, and a killed run is gone on with', async () => {
  const cluster = kube()
  const spec = {
    containers: [{ name: 'main', image: 'none', command: ['sleep', 'infinity'] }],
    nodeSelector: { 'node-pool': 'client-a-pool' },
    tolerations: [{ key: 'node-role.kubernetes.io/client-a', operator: 'Exists' }],
  }
  const stranger = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'stranger', namespace: NS }, spec }
  await cluster.create(stranger as KubeObject)
  const it = await run('deploy.mjs', '--json')
  assert.is(it.code, 1, told(it))
  assert.match(it.stdout + it.stderr, /still needed.*pod stranger/s)
  assert.is((await partner()).length, 3)
  await cluster.delete({ apiVersion: 'v1', kind: 'Pod', namespace: NS, name: 'stranger' }, { graceSeconds: 0 })
  await cluster.close()
  const deploying = start('deploy.mjs', ['--resume'])
  await journalHas(`take ${gateway}/32 out`)
  deploying.kill('SIGKILL')
  await deploying
  assert.ok((await partner()).length >= 2, 'ours and theirs')
  ok(await run('deploy.mjs', '--resume', '--json'))
  assert.is((await partner()).includes(gateway), false)
})

test('a partner that does not take the connection stops the canary, and its list is as it was', async () => {
  ok(await run('rollback.ts', '--to', 'start', '--yes', '--json'))
  const before = await partner()
  // Nothing listens on port 9 there.
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace('prove: api.partner.example:5432', 'prove: api.partner.example:9').replace('443, 5432', '443, 9')) // biome-ignore format: one line
  const it = await run('deploy.mjs', '--json')
  assert.is(it.code, 5, told(it))
  assert.match(it.stdout + it.stderr, /the partner lets it in/)
  assert.equal(await partner(), before)
  assert.is((await asked()).ip, gateway)
})
