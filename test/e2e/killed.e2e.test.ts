import { setTimeout as delay } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { makeCheckout } from '../support/checkout.ts'
import { suite } from '../support/suite.ts'
import { looksAt, ok } from './looks.ts'

const { test, after } = suite('killed at any moment, on real parts', { seconds: 230 })
const checkout = makeCheckout()
const { run } = checkout
const { traces, cloud, owned } = looksAt(checkout)

let resources: string[]

after(() => checkout.remove())

test('a deploy that nobody disturbs is the measure', async () => {
  ok(await run('deploy.mjs', '--json'))
  resources = await owned()
})

test('destroy goes on after kill -9, and a deploy killed at random moments ends as if never interrupted', async () => {
  const destroying = checkout.start('destroy.mjs', ['--yes'])
  await Promise.race([destroying, delay(1500)])
  destroying.kill('SIGKILL')
  await destroying
  ok(await run('destroy.mjs', '--yes'))
  assert.equal(await owned(), [])
  for (const ms of [700, 2500, 4500, 6500, 9000]) {
    const deploying = checkout.start('deploy.mjs', ['--json'])
    await Promise.race([deploying, delay(ms)])
    deploying.kill('SIGKILL')
    await deploying
  }
  ok(await run('deploy.mjs', '--json'))
  assert.equal(await owned(), resources)
  ok(await run('deploy.mjs', '--check'))
  const api = await cloud()
  assert.is((await api.instance.listServers()).servers.length, 2 + 3, 'two proxies and three nodes')
  ok(await run('destroy.mjs', '--yes'))
  assert.equal(await owned(), [])
  for (const list of [
    api.vpc.listVPCs({}).then(it => it.vpcs.filter(({ isDefault }) => !isDefault)),
    api.vpc.listPrivateNetworks({}).then(it => it.privateNetworks),
    api.gateway.listGateways({}).then(it => it.gateways),
    api.gateway.listIPs({}).then(it => it.ips),
    api.ipam.listIPs({}).then(it => it.ips),
    api.instance.listServers().then(it => it.servers),
    api.instance.listIps().then(it => it.ips),
    api.block.listVolumes({ includeDeleted: false }).then(it => it.volumes),
    api.k8s.listClusters({}).then(it => it.clusters),
    api.iam.listSSHKeys({}).then(it => it.sshKeys),
  ] as Promise<unknown[]>[]) {
    assert.equal(await list, [])
  }
})

test('the sandbox goes and leaves nothing, also after kill -9', async () => {
  ok(await run('sandbox.mjs', 'up'))
  const { stdout } = await checkout.start('sandbox.mjs', ['status', '--json'])
  const { daemon, hosts } = JSON.parse(stdout) as { daemon: { pid: number }; hosts: { name: string; netns: string }[] }
  const internet = hosts.find(it => it.name === 'internet')!
  const prefix = internet.netns.slice(0, -'internet'.length)
  assert.ok((await traces(prefix)).length >= 3)
  process.kill(daemon.pid, 'SIGKILL')
  ok(await run('sandbox.mjs', 'down'))
  assert.equal(await traces(prefix), [])
  ok(await run('sandbox.mjs', 'down'))
})
