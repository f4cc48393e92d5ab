import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { listPools } from '../../src/scaleway/pool-api.ts'
import { makeCheckout } from '../support/checkout.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { looksAt, ok, summaryOf } from './looks.ts'

const { test, before, after } = suite('two tenants on one proxy', { seconds: 230 })
const checkout = makeCheckout()
const { run } = checkout
after(() => checkout.remove())

const fileOfB = join(checkout.directory, 'inventory/sandbox/tenants/client-b.yaml')
const shared = readFileSync(fileOfB, 'utf8')
  .replace(
    /name: proxy-client-b(.*) privateIp: 172.16.28.9 /,
    'name: proxy-client-a$1 privateIp: 172.16.28.8, port: 3129, flexibleIp: client-b ',
  )
  .replace(/(client-b-pool.*size: 1) }/, '$1, autoscaling: { min: 1, max: 3 } }')
type Proxies = Record<string, { public_ip: string; tenants?: Record<string, { public_ip: string }> }>
const proxiesOf = (it: Awaited<ReturnType<typeof run>>) => summaryOf(it).outputs.proxies as Proxies
let alone: string

before(async () => {
  rmSync(fileOfB)
  const made = await run('deploy.mjs', '--json', '--tags', 'gateway,proxy,cluster,configure')
  ok(made)
  alone = proxiesOf(made)['proxy-client-a']!.public_ip
})

test('a second tenant joins a running proxy: the first keeps its address, and each is seen with its own', async () => {
  writeFileSync(fileOfB, shared)
  const it = await run('deploy.mjs', '--json')
  ok(it)
  const { public_ip, tenants } = proxiesOf(it)['proxy-client-a']!
  assert.is(public_ip, alone)
  assert.is(tenants?.['client-a']?.public_ip, alone)
  const ofB = tenants?.['client-b']?.public_ip
  assert.ok(ofB && ofB !== alone)
  const proofs = it.events.filter(({ event }) => event === 'proof')
  assert.equal(
    proofs.map(({ tenant, addressNow, failures }) => ({ tenant, addressNow, failures })),
    [
      { tenant: 'client-a', addressNow: alone, failures: [] },
      { tenant: 'client-b', addressNow: ofB, failures: [] },
    ],
  )
})

test("a tenant's node that asks another's port is refused, and the log says so", async () => {
  const { stdout } = await run('sandbox.mjs', 'status', '--json')
  const { hosts } = JSON.parse(stdout) as { hosts: { name: string }[] }
  const nodeOf = (tenant: string) =>
    hosts.find(it => it.name.includes(`${tenant}-pool`) && !it.name.includes('/'))!.name
  const name = `probe-${process.pid}.example`
  for (const [node, port] of [
    [nodeOf('client-b'), 3128],
    [nodeOf('client-a'), 3129],
  ] as const) {
    const url = ['-x', `http://172.16.28.8:${port}`, `http://${name}/`]
    const answer = ['curl', '-s', '-m', '20', '-o', '/dev/null', '-w', '%{http_code}', ...url]
    assert.is((await run('sandbox.mjs', 'exec', node, '--', ...answer)).stdout, '403')
  }
  const look = `n=0; until [ "$(grep -c ${name} /var/log/squid/audit.log)" = 2 ]; do n=$((n + 1)); [ $n -le 300 ] || break; sleep 0.1; done; grep ${name} /var/log/squid/audit.log`
  const lines = (await run('sandbox.mjs', 'exec', 'proxy-client-a', '--', 'sh', '-c', look)).stdout.trim().split('\n')
  assert.equal(
    lines.map(it => (JSON.parse(it) as { rule: string }).rule),
    ['client', 'client'],
  )
})

test('nothing is left to do, for both and for one of them', async () => {
  ok(await run('deploy.mjs', '--check'))
  ok(await run('deploy.mjs', '--check', '--limit', 'client-b'))
})

test('a node that the autoscaler adds is refused, told by status and verify, and let in by 40-configure', async () => {
  const cloud = await looksAt(checkout).cloud()
  const [cluster] = await cloud.k8s.listClusters({}).all()
  const pool = (await listPools(cloud, cluster!.id)).find(it => it.name === 'client-b-pool')!
  await cloud.k8s.updatePool({ poolId: pool.id, size: 2 })
  const ready = async () => {
    const nodes = (await cloud.k8s.listNodes({ clusterId: cluster!.id }).all()).filter(it => it.poolId === pool.id)
    return nodes.length === 2 && nodes.every(it => it.status === 'ready')
  }
  assert.ok(await until(ready, 60), 'the node comes')
  const told = /proxy-client-a does not know \S+ \(172\.16\.28\.\d+\) of client-b-pool/
  const status = await run('status.mjs', '--json')
  ok(status)
  assert.match(status.stderr, told)
  const [said] = status.events.filter(it => it.event === 'status')
  assert.is((said!.unknownNodes as unknown[]).length, 1)
  const verify = await run('60-verify.mjs')
  ok(verify, 1)
  assert.match(verify.stderr, told)
  ok(await run('deploy.mjs', '--check'), 3)
  ok(await run('40-configure.mjs'))
  ok(await run('60-verify.mjs'))
  assert.not.match((await run('status.mjs')).stderr, told)
})
