import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { makeCheckout } from '../support/checkout.ts'
import { suite } from '../support/suite.ts'
import { looksAt, ok } from './looks.ts'

const { test, before, after } = suite("an operator's hand, on real parts", { seconds: 230 })
const checkout = makeCheckout()
const { run } = checkout
const { kube } = looksAt(checkout)
/** The inventory and the kubeconfig, as on the machine of a colleague. */
const elsewhere = makeCheckout()
after(async () => {
  await elsewhere.remove()
  await checkout.remove()
})

before(() => {
  for (const { directory } of [checkout, elsewhere]) {
    const tenants = join(directory, 'inventory/sandbox/tenants')
    rmSync(join(tenants, 'client-b.yaml'))
    const file = join(tenants, 'client-a.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace('soak: 1s', 'pause: promote'))
  }
})

const labelled = async () => {
  const cluster = kube()
  const at = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'client-a-demo' }
  const { items } = await cluster.list<{ metadata: { name: string } }>(at)
  await cluster.close()
  return items.filter(it => /"egress":"external"/.test(JSON.stringify(it))).map(it => it.metadata.name)
}

/** A deploy that has paused before its last batch. */
const paused = async () => {
  const deploying = checkout.start('deploy.mjs', ['--json'])
  let told = ''
  deploying.stdout.on('data', it => {
    told += it
  })
  const ended = deploying.then(() => true)
  while (!told.includes('"event":"paused"'))
    if (await Promise.race([ended, delay(100, false)])) assert.unreachable((await deploying).stderr)
  return { deploying }
}

test('a deploy that pauses is aborted from another machine', async () => {
  ok(await run('deploy.mjs', '--tags', 'gateway,proxy,cluster,configure', '--json'))
  const { deploying } = await paused()
  assert.equal(await labelled(), ['curl-demo'])
  mkdirSync(elsewhere.state, { recursive: true })
  copyFileSync(join(checkout.state, 'kubeconfig'), join(elsewhere.state, 'kubeconfig'))
  const asked = await elsewhere.run('50-rollout.mjs', '--abort', '--json')
  ok(asked)
  assert.match(asked.stderr, /is cut short, and what moved of client-a is taken back/)
  const { exitCode, stderr } = await deploying
  assert.is(exitCode, 5, stderr)
  assert.match(stderr, /the rollout was aborted/)
  assert.equal(await labelled(), [])
})

test('one that was interrupted and left half-way is aborted from the journal', async () => {
  const { deploying } = await paused()
  deploying.kill('SIGINT')
  const { exitCode, stderr } = await deploying
  assert.is(exitCode, 130, stderr)
  assert.match(stderr, /go on with deploy\.mjs --resume/)
  assert.equal(await labelled(), ['curl-demo'])
  const nobody = await run('50-rollout.mjs', '--promote')
  ok(nobody, 1)
  assert.match(nobody.stderr, /nothing to promote/)
  const undone = await run('50-rollout.mjs', '--abort')
  ok(undone)
  assert.match(undone.stderr, /steps of one that did not end were taken back/)
  assert.equal(await labelled(), [])
})

test('one that is promoted goes on to its end', async () => {
  const { deploying } = await paused()
  const again = await run('50-rollout.mjs', '--yes')
  ok(again, 4)
  const status = await run('status.mjs')
  ok(status)
  assert.match(
    status.stdout,
    /deploy by .*: paused by the inventory since .*: until --promote goes on with expand 1\/1/,
  )
  const watching = checkout.start('status.mjs', ['--watch', '--json'])
  ok(await elsewhere.run('50-rollout.mjs', '--promote', '--json'))
  const { exitCode, stderr } = await deploying
  assert.is(exitCode, 0, stderr)
  assert.equal(await labelled(), ['curl-demo', 'web-demo'])
  const watched = await watching
  assert.is(watched.exitCode, 0, watched.stderr)
  const views = watched.stdout.split('\n').flatMap(it => (it.includes('"event":"watch"') ? [JSON.parse(it)] : []))
  assert.is(views.at(-1).run, null)
  assert.equal(
    views.at(-1).workloads.map((it: { state: string }) => it.state),
    ['proved', 'proved'],
  )
})

test('without its journals, it is taken back by what the cluster shows', async () => {
  const runs = join(checkout.state, 'runs')
  renameSync(runs, `${runs}-lost`)
  const blind = await run('rollback.ts', '--to', 'start', '--yes')
  ok(blind, 1)
  assert.match(blind.stderr, /rollback.ts --from-cluster takes back what the cluster shows/)
  rmSync(join(checkout.state, 'kubeconfig'))
  const shown = await run('rollback.ts', '--from-cluster', '--check')
  ok(shown, 3)
  assert.match(shown.stdout, / ~ workload-egress\/client-a-demo\/curl-demo/)
  assert.match(shown.stdout, / - kube-object\/NetworkPolicy client-a-demo\//)
  assert.equal(await labelled(), ['curl-demo', 'web-demo'])
  const back = await run('rollback.ts', '--from-cluster', '--yes')
  ok(back)
  assert.match(back.stderr, /known to nobody/)
  assert.equal(await labelled(), [])
  const cluster = kube()
  const at = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', namespace: 'client-a-demo' }
  assert.equal((await cluster.list(at)).items, [])
  await cluster.close()
  const again = await run('rollback.ts', '--from-cluster', '--yes')
  ok(again)
  assert.match(again.stderr, /nothing to roll back/)
})
