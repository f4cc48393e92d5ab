import { readFileSync, writeFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { killSquid, type Losses, names, twoProxies } from '../support/two-proxies.ts'
import { until } from '../support/until.ts'
import { ok, type Summary, summaryOf } from './looks.ts'

const { test, after } = suite('one of two proxies goes, and comes back', { seconds: 390 })
const two = twoProxies()
const { checkout, file, slice, readiness, becomes, pod, onProxy, noticed, load, tunnels } = two
const { run } = checkout
after(() => two.remove())

let outputs: Summary['outputs']

/** How fast is `npm run bench -- failover`: what is sure on any machine is that nobody is lost. */
const nobodyLost = ({ loads, out }: Losses) => {
  for (const { asked, lost } of loads) {
    assert.ok(asked > 20, `${asked} requests`)
    assert.is(lost, 0)
  }
  assert.ok(
    loads.some(it => it.slow.length > 0),
    'somebody had to try again',
  )
  assert.ok(Math.max(...out) < 30_000, `out of the slice after ${out} ms`)
}

test('two proxies are made, each with its address, and the workloads move behind the Service', async () => {
  const it = await run('deploy.mjs', '--json')
  ok(it)
  outputs = summaryOf(it).outputs
  assert.equal(Object.keys(outputs.proxies), [...names])
  assert.is(outputs.proxy_private_ip, '172.16.28.8')
  const fixed = names.map(name => outputs.proxies[name]!.public_ip)
  assert.is(new Set(fixed).size, 2)
  const proof = it.events.find(({ event }) => event === 'proof')
  assert.ok(fixed.includes(String(proof?.addressNow)))
  assert.equal(proof?.failures, [])
  ok(await run('deploy.mjs', '--check'))
  await becomes(true, true)
})

test('pods go through both by the name of the Service, and nobody’s look at their health is logged', async () => {
  const environment = `export $(tr '\\0' '\\n' </proc/1/environ | grep -i _proxy= | xargs); `
  const { stdout } = await checkout.start('sandbox.mjs', [
    'exec',
    (await pod()).name,
    '--',
    'sh',
    '-c',
    `${environment} for i in $(seq 30); do curl -s --max-time 20 https://whatismyip.example/; echo; done`,
  ])
  const seen = new Set(stdout.split('\n').filter(Boolean))
  assert.equal([...seen].sort(), names.map(name => outputs.proxies[name]!.public_ip).sort())
  for (const name of names) assert.not.match(await onProxy(name, 'cat /var/log/squid/audit.log'), /proxy-health/)
})

test('kill -9 of one and the other under load: who tries again succeeds', async () => {
  const losses = await two.killByTurns(6)
  nobodyLost(losses)
  assert.is(Object.keys(losses.loads[0]!.by).length, 2, 'both were used')
})

test('tunnels through the one that is killed end at once, the others stay', async () => {
  const held = await tunnels(20)
  await onProxy(names[0], killSquid)
  await noticed()
  assert.ok(await until(() => held.ended() > 0, 10))
  const ended = held.ended()
  assert.ok(ended < 20, `${ended} of 20 ended`)
  await onProxy(names[0], 'service squid start')
  await becomes(true, true)
  assert.is(held.ended(), ended, 'who lives through another one notices nothing')
  await held.end()
})

test('a machine that vanishes answers nobody, and who tries again succeeds', async () => {
  // Not the one that is replaced below: connections that were given up here may be sent to it for two minutes more.
  nobodyLost(await two.vanish(2))
})

test('drained under load: nobody has to try again, and open tunnels are waited for', async () => {
  const drain = (...args: string[]) => run('drain.mjs', '--proxy', names[1], ...args)
  ok(await drain('--check'), 3)
  const running = await load()
  const held = await tunnels(10)
  const early = await drain('--within', '2s')
  ok(early, 1)
  assert.match(early.stderr, /proxy-client-a-2 still has \d+ connections after 2 s/)
  assert.equal(await readiness(), [true, false])
  assert.is(held.ended(), 0)
  await held.end()
  ok(await drain())
  ok(await drain('--check'))
  const { asked, slow } = await running.end()
  assert.ok(asked > 50)
  assert.equal(slow, [])
})

test('replaced while it is drained: the same addresses, and nobody has to try again', async () => {
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace(/(proxy-client-a-2.*)PLAY2-PICO/, '$1PLAY2-NANO'))
  await onProxy(names[1], 'touch /root/old')
  const running = await load()
  const it = await run('deploy.mjs', '--json')
  ok(it)
  assert.is(
    await onProxy(names[1], 'ls /root/old 2>&1 || true'),
    "ls: cannot access '/root/old': No such file or directory",
  )
  assert.equal(summaryOf(it).outputs.proxies, outputs.proxies)
  assert.equal(await readiness(), [true, false], 'it stays drained')
  ok(await run('drain.mjs', '--proxy', names[1], '--undo'))
  assert.equal(await readiness(), [true, true])
  const { asked, slow, by } = await running.end()
  assert.ok(asked > 100)
  assert.equal(slow, [])
  assert.ok(by[outputs.proxies[names[1]]!.public_ip], 'it is used again')
})

test('what cannot be drained is said', async () => {
  const unknown = await run('drain.mjs', '--proxy', 'proxy-client-a-3')
  ok(unknown, 2)
  assert.match(unknown.stderr, /did you mean proxy-client-a/)
  const all = await run('drain.mjs', '--json')
  ok(all)
  assert.match(all.stdout, /"proxy":"proxy-client-a-2","address":"172.16.28.18","ready":true,"draining":false/)
})

test('rolled back to the start, nothing of the Service is left; and it comes again', async () => {
  ok(await run('rollback.ts', '--to', 'start', '--yes'))
  const of = (apiVersion: string, kind: string, name: string) =>
    two.kube().get({ apiVersion, kind, namespace: 'client-a-demo', name })
  for (const found of [
    of('v1', 'Service', 'egress-proxy'),
    two.kube().get(slice),
    of('apps/v1', 'Deployment', 'egress-proxy-health'),
    of('rbac.authorization.k8s.io/v1', 'Role', 'egress-proxy-health'),
    of('v1', 'ServiceAccount', 'egress-proxy-health'),
  ])
    assert.is(await found, null)
  ok(await run('deploy.mjs', '--json'))
  ok(await run('deploy.mjs', '--check'))
  await becomes(true, true)
})
