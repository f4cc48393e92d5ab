import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import * as assert from 'uvu/assert'
import type { Evidence } from '../../src/report/evidence.ts'
import { makeCheckout } from '../support/checkout.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { looksAt, ok, type Summary, summaryOf } from './looks.ts'

const { test, before, after } = suite('evidence of two proxies, well and away', { seconds: 280 })
const checkout = makeCheckout()
const { run } = checkout
const { kube } = looksAt(checkout)
const directory = mkdtempSync(join(tmpdir(), 'egress-evidence-'))
after(async () => {
  rmSync(directory, { recursive: true })
  await checkout.remove()
})

const names = ['proxy-client-a', 'proxy-client-a-2'] as const
const folder = join(checkout.directory, 'inventory/sandbox/tenants')
const file = join(folder, 'client-a.yaml')
const second = '{ name: proxy-client-a-2, type: PLAY2-PICO, image: ubuntu_noble, privateIp: 172.16.28.18 }'
rmSync(join(folder, 'client-b.yaml'))
writeFileSync(file, readFileSync(file, 'utf8').replace(/^ {2}proxy: (.*)$/m, `  proxies:\n    - $1\n    - ${second}`))

let fixed: string[]

before(async () => {
  const it = await run('deploy.mjs', '--json')
  ok(it)
  const { proxies } = summaryOf(it).outputs as Summary['outputs']
  fixed = names.map(name => proxies[name]!.public_ip)
})

const evidence = async (code: number, within: number) => {
  for (const it of readdirSync(directory)) rmSync(join(directory, it))
  const began = Date.now()
  const it = await run('60-verify.mjs', '--tenant', 'client-a', '--evidence', directory, '--json')
  ok(it, code)
  const seconds = (Date.now() - began) / 1000
  assert.ok(seconds < within, `${seconds} s`)
  const json = readdirSync(directory).find(name => name.endsWith('.json'))
  assert.ok(json && readdirSync(directory).length === 2, 'it is written, whatever is away')
  return { said: it.stderr, made: JSON.parse(readFileSync(join(directory, json), 'utf8')) as Evidence }
}

const hosts = async () => {
  const { stdout } = await run('sandbox.mjs', 'status', '--json')
  return (JSON.parse(stdout) as { hosts: { name: string; netns: string }[] }).hosts
}

/** Answers nothing to anybody, as a machine does that lost its power. */
const vanish = async (name: string) => {
  const { netns } = (await hosts()).find(it => it.name === name)!
  const nft = (text: string) => execa('ip', ['netns', 'exec', netns, 'nft', text])
  await nft('table inet gone { chain everything { type filter hook prerouting priority -500; policy drop; }; }')
  return () => nft('delete table inet gone')
}

const revisions = async () => {
  const it = await run('status.mjs', '--json')
  ok(it)
  const { policies } = it.events.find(({ event }) => event === 'status') as {
    policies: { proxy: string; reached: string; revision: string | null }[]
  }
  return policies.map(({ reached, revision }) => [reached, revision !== null])
}

test('two proxies that are well: each has its address and its log, and all of it holds', async () => {
  const { made } = await evidence(0, 120)
  assert.is(made.verdict, 'holds')
  assert.equal(
    made.proxies.map(it => [it.name, it.fixedAddress, it.verdict, it.facts?.firewall]),
    names.map((name, at) => [name, fixed[at], 'holds', 'active']),
  )
  // By the Service either may answer; asked alone, each shows its own.
  for (const [at, address] of ['172.16.28.8:3128', '172.16.28.18:3128'].entries()) {
    const mine = made.addresses.filter(it => it.by === address)
    assert.ok(mine.length > 0)
    for (const { seen } of mine) assert.is(seen, fixed[at])
  }
  const unlogged = made.samples.filter(it => it.by === 'by the proxy' && !it.logged)
  assert.equal(unlogged, [])
})

test('one is away: the report says so, by name, and what the other answers still holds', async () => {
  const back = await vanish(names[0])
  try {
    const { made, said } = await evidence(1, 200)
    assert.is(made.verdict, 'unclear')
    assert.equal(
      made.proxies.map(it => [it.verdict, it.facts === null]),
      [
        ['unclear', true],
        ['holds', false],
      ],
    )
    assert.match(made.proxies[0]!.why, /proxy-client-a is unreachable/)
    assert.match(said, /could not be shown/)
    assert.not(made.samples.some(it => it.verdict === 'fails'))
    assert.ok(made.samples.some(it => it.verdict === 'holds' && it.logged))
    assert.equal(await revisions(), [
      ['no', false],
      ['yes', true],
    ])
    assert.match((await run('status.mjs')).stdout, /proxy-client-a .* unreachable\n/)
  } finally {
    await back()
  }
})

test('both are away: nothing holds but that nothing else gets out, and it ends soon', async () => {
  const back = await Promise.all(names.map(vanish))
  try {
    const { made } = await evidence(1, 200)
    assert.is(made.verdict, 'unclear')
    const holding = made.samples.filter(it => it.verdict === 'holds')
    assert.equal(new Set(holding.map(it => it.kind)), new Set(['past the proxy']))
    assert.ok(made.samples.some(it => /not asked: the proxy gave no answer/.test(it.why)))
  } finally {
    await Promise.all(back.map(it => it()))
  }
})

test('no pod to ask from: the proxies are asked still, and everything else says why not', async () => {
  const cluster = kube()
  const id = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'client-a-demo', name: 'curl-demo' }
  await cluster.patch(id, { merge: { spec: { replicas: 0 } } }, { manager: 'somebody' })
  await cluster.close()
  const gone = async () => !(await hosts()).some(it => it.name.startsWith('client-a-demo/curl-demo'))
  assert.ok(await until(gone, 60))
  const { made } = await evidence(1, 120)
  assert.is(made.asked.pod, '-')
  assert.ok(made.proxies.every(it => it.verdict === 'holds'))
  assert.ok([...made.addresses, ...made.samples].every(it => it.verdict === 'unclear' && /no pod/.test(it.why)))
})
