import { readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { makeCheckout } from '../support/checkout.ts'
import { suite } from '../support/suite.ts'
import { looksAt, ok, summaryOf } from './looks.ts'

const { test, after } = suite('plans that are saved, and a tenant that leaves', { seconds: 200 })
const checkout = makeCheckout()
const { run } = checkout
after(() => checkout.remove())

const { owned } = looksAt(checkout)
const plan = join(checkout.directory, 'plan.json')
const tenant = join(checkout.directory, 'inventory/sandbox/tenants/client-b.yaml')
const leave = () => renameSync(tenant, `${tenant}.away`)
const comeBack = () => renameSync(`${tenant}.away`, tenant)
const ofTenant = async () => (await owned()).filter(it => it.includes('client-b'))

test('a saved plan of everything is done as announced, and refuses to be done twice', async () => {
  const checked = await run('deploy.mjs', '--check', '--json', '--out', plan)
  ok(checked, 3)
  assert.is(statSync(plan).mode & 0o777, 0o600)
  assert.not.match(readFileSync(plan, 'utf8'), /PRIVATE KEY|secret/i)
  const announced = checked.events.find(it => it.event === 'plan') as unknown as { path: { id: string }[] }
  assert.ok(announced.path.some(({ id }) => id.startsWith('pool/')))
  const done = await run('deploy.mjs', '--json', '--plan', plan)
  ok(done)
  const count = ({ create, update, delete: gone }: ReturnType<typeof summaryOf>['changes']) => create + update + gone
  assert.is(count(summaryOf(done).changes), count(summaryOf(checked).changes))
  const again = await run('deploy.mjs', '--json', '--plan', plan)
  ok(again, 1)
  assert.match(again.stderr, 'vpc/egress: planned create, now there is one already')
})

test('a tenant that left is told, and stays while its rollout stands', async () => {
  leave()
  const checked = await run('deploy.mjs', '--check', '--json')
  ok(checked)
  assert.equal(
    checked.events.flatMap(it => (it.event === 'orphaned' ? [String(it.step).split('/')[0]] : [])),
    ['pool', 'server', 'flexible-ip', 'ipam-address'],
  )
  const refused = await run('deploy.mjs', '--prune', '--yes')
  ok(refused, 1)
  assert.match(refused.stderr, 'the rollout of a tenant that left still stands')
  assert.is((await ofTenant()).length, 4)
  const back = await run('rollback.ts', '--to', 'start', '--check', '--json')
  ok(back, 3)
  const steps = back.events.flatMap(it => (it.event === 'planned' ? [String(it.step)] : []))
  assert.ok(steps.includes('workload-egress/client-b-demo/curl-demo'), 'all that moved goes back, whoever left')
})

test('taken back first, it is pruned by a saved plan, and the other tenant goes on', async () => {
  comeBack()
  ok(await run('rollback.ts', '--to', 'start', '--limit', 'client-b', '--yes'))
  leave()
  ok(await run('deploy.mjs', '--check', '--prune', '--out', plan), 3)
  const pruned = await run('deploy.mjs', '--json', '--yes', '--plan', plan)
  ok(pruned)
  assert.is(summaryOf(pruned).changes.delete, 4)
  assert.equal(await ofTenant(), [])
  const nothing = await run('deploy.mjs', '--check', '--json')
  ok(nothing)
  assert.not(nothing.events.some(it => it.event === 'orphaned'))
})

test('and away: nothing is left, and no leak is told', async () => {
  const gone = await run('destroy.mjs', '--yes', '--json')
  ok(gone)
  assert.equal(await owned(), [])
  assert.not(gone.events.some(it => it.event === 'leak'))
})
