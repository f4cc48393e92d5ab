import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { listOwned } from '../../src/scaleway/leftovers.ts'
import { suite } from '../support/suite.ts'
import { emulated } from './emulated.ts'
import { census, deploy, drift, report } from './network.ts'
import { removeAll } from './remove-all.ts'

const { test } = suite('scaleway/crash', { seconds: 240 })

/** A process that is killed right after its n-th write took effect: it learns nothing, and calls no more. */
const dying = (after: number) => {
  let writes = 0
  let dead = false
  const send: typeof fetch = async (input, init) => {
    if (dead) throw new Error('killed')
    const request = new Request(input, init)
    const response = await fetch(request.clone())
    if (request.method !== 'GET' && ++writes >= after) {
      dead = true
      throw new Error('killed')
    }
    return response
  }
  return { send, writes: () => writes }
}

/** Deploys, is killed after the n-th write, and starts again; true when there was an n-th write. */
const crashAt = async (n: number, expected: Record<string, number>): Promise<boolean> => {
  const dir = await mkdtemp(join(tmpdir(), 'egress-crash-'))
  const cloud = await emulated()
  try {
    const wishes = { kubeconfig: join(dir, 'kubeconfig') }
    const process = dying(n)
    const error = await deploy(await cloud.clients('sandbox', { fetch: process.send, attempts: 1 }), wishes).catch(
      it => it,
    )
    if (!(error instanceof Error)) return false
    assert.match(String(error.message) + String(error.cause), /killed/)
    await deploy(await cloud.clients(), wishes)
    assert.equal(await census(await cloud.clients()), expected, `after a kill at write ${n}`)
    assert.equal(await drift(await cloud.clients(), wishes), [], `after a kill at write ${n}`)
    await destroyAt(n, cloud)
    return true
  } finally {
    await cloud.close()
    await rm(dir, { recursive: true, force: true })
  }
}

/** Destroys, is killed after the n-th write, and starts again. */
const destroyAt = async (n: number, cloud: Awaited<ReturnType<typeof emulated>>) => {
  const first = await cloud.clients('sandbox', { fetch: dying(n).send, attempts: 1 })
  await removeAll(first, await listOwned(first), report).catch(() => undefined)
  await sleep(80) // what was under way ends meanwhile: only tags tell then what was ours
  const second = await cloud.clients()
  await removeAll(second, await listOwned(second), report)
  const left = Object.entries(await census(second)).filter(([, count]) => count > 0)
  assert.equal(left, [], `destroyed after a kill at write ${n}`)
}

test('a deploy and a destroy killed after any write end as if never killed', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'egress-crash-'))
  const cloud = await emulated()
  const calm = dying(Number.POSITIVE_INFINITY)
  await deploy(await cloud.clients('sandbox', { fetch: calm.send }), { kubeconfig: join(dir, 'kubeconfig') })
  const expected = await census(await cloud.clients())
  await cloud.close()
  await rm(dir, { recursive: true, force: true })

  const points = Array.from({ length: calm.writes() }, (_, index) => index + 1)
  assert.ok(points.length >= 18, `${points.length} writes`)
  // Mostly waiting, so several at once.
  const next = points[Symbol.iterator]()
  const worker = async () => {
    for (const n of next) assert.ok(await crashAt(n, expected))
  }
  await Promise.all(Array.from({ length: 4 }, worker))
})
