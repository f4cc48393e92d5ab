import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import * as assert from 'uvu/assert'
import { findLeaks } from '../../src/scaleway/leaks.ts'
import { listOwned } from '../../src/scaleway/leftovers.ts'
import { connect, openCloud, unhurried } from '../bench/cloud.ts'
import { harmed, rowsOf, settleNeighbours } from '../bench/neighbours.ts'
import { pending, planned } from '../bench/provision.ts'
import { deploy, destroy } from '../bench/runs.ts'
import { wish } from '../bench/tenants.ts'
import { suite } from '../support/suite.ts'
import { credentials } from './emulated.ts'

const { test } = suite('scaleway/blast radius')

const clock = { scale: 0.001 }
const journal = { run: 'blast', record() {}, close() {} }

test('what others have is neither read as ours, nor changed, nor deleted', async () => {
  const cloud = await openCloud(clock)
  const wished = await wish(1)
  try {
    await settleNeighbours(cloud)
    const before = rowsOf(cloud.api.state())
    assert.ok(before.size > 100, `${before.size} rows of others`)
    const fresh = () => connect(cloud.url, 'bench', { pace: unhurried() })
    const isOthers = (id: string) => [...before.keys()].some(it => it.endsWith(`/${id}`))

    assert.equal(await listOwned(await fresh()), [], 'before the first deploy nothing is ours')
    const plan = await planned(wished.cloud, await fresh())
    assert.equal(
      [...plan.seen.values()]
        .filter(it => it.live !== null || it.step?.change.action !== 'create')
        .map(it => it.desired.id),
      [],
    )
    await deploy(wished, await fresh(), journal)
    assert.equal(harmed(before, cloud.api.state()), [], 'after deploy')
    assert.equal(pending(await planned(wished.cloud, await fresh())), [])

    const owned = await listOwned(await fresh())
    assert.ok(owned.length > 10)
    assert.equal(
      owned.filter(it => isOthers(it.id)),
      [],
    )
    const leaks = await findLeaks(await fresh())
    await destroy(wished, await fresh(), journal)
    assert.equal(harmed(before, cloud.api.state()), [], 'after destroy')
    assert.equal(
      leaks.filter(it => owned.some(({ id }) => id === it.id)),
      [],
    )
    assert.equal(await listOwned(await fresh()), [])
    const left = [...rowsOf(cloud.api.state()).keys()].filter(it => !before.has(it))
    assert.equal(left, [], 'what is left besides')
  } finally {
    await cloud.close()
    await wished.remove()
  }
})

test('the commands themselves keep away from it', async () => {
  const cloud = await openCloud(clock)
  const wished = await wish(1)
  try {
    await settleNeighbours(cloud)
    const before = rowsOf(cloud.api.state())
    const run = commandsIn(wished.root, cloud.url)
    for (const [code, script, ...args] of [
      [3, '10-gateway.mjs', '--check'],
      [0, '10-gateway.mjs'],
      [0, '20-proxy.mjs'],
      [0, '20-proxy.mjs', '--check'],
      [0, 'inventory.mjs', '--list'],
      [3, 'destroy.mjs', '--check'],
      [0, 'destroy.mjs', '--yes'],
      [0, 'destroy.mjs', '--check'],
    ] as const) {
      const { exitCode, stderr } = await run(script, args)
      assert.is(exitCode, code, `${script} ${args}: ${stderr}`)
      assert.equal(harmed(before, cloud.api.state()), [], `after ${script} ${args}`)
    }
    assert.equal(
      [...rowsOf(cloud.api.state()).keys()].filter(it => !before.has(it)),
      [],
    )
  } finally {
    await cloud.close()
    await wished.remove()
  }
})

/** The scripts in a copy of the project, with that inventory, against that API. */
const commandsIn = (root: string, apiUrl: string) => {
  const project = join(import.meta.dirname, '../..')
  for (const it of ['src', 'scripts', 'playbooks', 'templates', 'package.json'])
    cpSync(join(project, it), join(root, it), { recursive: true })
  symlinkSync(join(project, 'node_modules'), join(root, 'node_modules'))
  const env = {
    NO_COLOR: '1',
    HOME: root,
    SCW_API_URL: apiUrl,
    SCW_ACCESS_KEY: credentials.accessKey,
    SCW_SECRET_KEY: credentials.secretKey,
    SCW_DEFAULT_PROJECT_ID: credentials.projectId,
    SCW_DEFAULT_ORGANIZATION_ID: credentials.organizationId,
  }
  return (script: string, args: readonly string[]) =>
    execa(process.execPath, [join(root, 'scripts', script), '--context', 'bench', ...args], {
      ...{ cwd: '/', reject: false, stdin: 'ignore', timeout: 200_000, env, extendEnv: false },
    })
}
