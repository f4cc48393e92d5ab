import * as assert from 'uvu/assert'
import { hostTasks } from '../../playbooks/configure.ts'
import { site } from '../../playbooks/site.ts'
import { machinesIn } from '../../src/inventory/context.ts'
import { loadContext } from '../../src/inventory/load.ts'
import { changed, cleanUp } from '../inventory/edited.ts'
import { suite } from '../support/suite.ts'

const { test, after } = suite('playbooks/monitoring')
after(cleanUp)

const with_ = async (ranges: string | null) => {
  const edits: Parameters<typeof changed>[0] = ranges
    ? { 'context.yaml': [[/^context: sandbox$/m, `context: sandbox\nmonitoring: { allow: [${ranges}] }`]] }
    : {}
  const context = await loadContext('sandbox', { root: changed(edits), env: {} })
  const { tasks } = hostTasks(context, machinesIn(context)[0]!)
  const rules = tasks.flatMap(it => (it.task === 'ufw' ? it.rules : []))
  const { cloud } = site(context, { operatorKey: 'ssh-ed25519 A', kubeconfig: '/k' })
  const guard = cloud.find(it => it.id === 'security-group/proxy')
  assert.ok(guard)
  return {
    walls: rules.map(it => `${it.from} ${it.port}`),
    guard: JSON.stringify(guard.want),
    defaults: tasks.flatMap(it =>
      it.task === 'file' && it.path.startsWith('/etc/default/prometheus') ? [String(it.content)] : [],
    ),
    packages: tasks.flatMap(it => (it.task === 'package' ? [it.name] : [])),
  }
}

test('nothing is watched unless the inventory says so', async () => {
  const { walls, packages, defaults } = await with_(null)
  assert.equal(
    walls.filter(it => / (9100|9301|9302)$/.test(it)),
    [],
  )
  assert.equal([packages.filter(it => it.startsWith('prometheus')), defaults], [[], []])
})

test('a private range is listened for inside alone', async () => {
  const { walls, guard, defaults } = await with_('172.16.28.64/26')
  assert.equal(
    walls.filter(it => / 9\d{3}$/.test(it)),
    ['172.16.28.64/26 9100', '172.16.28.64/26 9301', '172.16.28.64/26 9302', '172.16.28.0/22 9302'],
  )
  assert.not.match(guard, /9100/)
  assert.is(defaults.length, 2)
  for (const it of defaults) assert.match(it, /=172\.16\.28\.8:9/)
})

test('a public range passes the security group too', async () => {
  const { guard, defaults } = await with_('203.0.113.64/26, 172.16.28.64/26')
  for (const port of [9100, 9301, 9302])
    assert.ok(guard.includes(`"ipRange":"203.0.113.64/26","ports":{"from":${port}`))
  assert.not.match(guard, /172\.16\.28\.64/)
  for (const it of defaults) assert.match(it, /=0\.0\.0\.0:9/)
})
