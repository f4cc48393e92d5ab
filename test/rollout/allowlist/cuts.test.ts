import * as assert from 'uvu/assert'
import { applyPlan } from '../../../src/engine/apply.ts'
import { word } from '../../../src/engine/desired.ts'
import type { Entry, Journal, Recorded } from '../../../src/engine/journal.ts'
import type { AnyKind, Kind } from '../../../src/engine/kind.ts'
import { makePlan } from '../../../src/engine/plan.ts'
import { Problem } from '../../../src/engine/problem.ts'
import { standing, undoAll } from '../../../src/engine/undo.ts'
import type { World } from '../../../src/engine/world.ts'
import { allowlistAddition, allowlistAdditionKind } from '../../../src/rollout/allowlist/addition.ts'
import { crunchyBridge } from '../../../src/rollout/allowlist/crunchybridge.ts'
import { letIn } from '../../../src/rollout/allowlist/entries.ts'
import { createFirewalls } from '../../../src/rollout/allowlist/firewalls.ts'
import { allowlistLeftovers, allowlistLeftoversKind } from '../../../src/rollout/allowlist/leftovers.ts'
import { allowlistRemoval, allowlistRemovalKind } from '../../../src/rollout/allowlist/removal.ts'
import type { KubeObject } from '../../../src/rollout/kube/object.ts'
import { suite } from '../../support/suite.ts'
import { startCluster } from '../cluster.ts'
import { startPartner } from './partner.ts'

const { test, before, after } = suite('allowlist: a power cut after each journal line and each call')

const OLD = ['198.51.100.7/32', '198.51.100.0/29']
const THEIRS = '192.0.2.0/24'
const OURS = '203.0.113.9/32'
/** Ours once: what a proxy had that was replaced. */
const LEFT = '203.0.113.5/32'
const BEFORE = [THEIRS, LEFT, ...OLD].sort()
const AFTER = [THEIRS, OURS].sort()
const NS = 'shop'
const label = { key: 'egress', value: 'external' }
const pods = ['api', 'web'].map(name => ({ apiVersion: 'v1', kind: 'Pod', namespace: NS, name }))

let cluster: Awaited<ReturnType<typeof startCluster>>
let partner: Awaited<ReturnType<typeof startPartner>>
before(async () => {
  cluster = await startCluster()
  await cluster.kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NS } })
  for (const { name } of pods) {
    const spec = { containers: [{ name: 'main', image: 'none' }], nodeName: 'node-1' }
    await cluster.kube.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: NS }, spec } as KubeObject)
  }
  partner = await startPartner(BEFORE)
})
after(async () => {
  await partner.close()
  await cluster.close()
})

/** Whether the power is on, and which pods have moved; a pod that moves needs both ways. */
let powered = true
const leavesBy = new Map<string, 'old' | 'new' | 'both'>()
const cut = () => {
  if (!powered) throw new Error('no power')
}

/** At every instant: whoever leaves some way is let in that way. */
const nobodyIsOutside = () => {
  const now = partner.now()
  assert.ok(now.includes(THEIRS), 'what others let in stays')
  for (const [name, way] of leavesBy) {
    if (way !== 'new') assert.ok(OLD.some(it => now.includes(it)), `${name} is outside: ${now}`) // biome-ignore format: one line
    if (way === 'old') assert.ok(OLD.every(it => now.includes(it)), `${name} needs all that was there: ${now}`) // biome-ignore format: one line
    if (way !== 'old') assert.ok(now.includes(OURS), `${name} is outside: ${now}`)
  }
}

type Pod = { name: string }
const set = async (name: string, value: string | null) => {
  cut()
  leavesBy.set(name, 'both')
  nobodyIsOutside()
  await cluster.kube.patch(pods.find(it => it.name === name)!, { merge: { metadata: { labels: { egress: value } } } })
  leavesBy.set(name, value ? 'new' : 'old')
  nobodyIsOutside()
  cut()
}
const moverKind: Kind<Pod, { moved: boolean }, unknown> = {
  name: 'mover',
  read: async ({ name }) => {
    const pod = await cluster.kube.get(pods.find(it => it.name === name)!)
    return { moved: pod?.metadata.labels?.egress === 'external' }
  },
  diff: ({ name }, live) => (live?.moved ? null : { action: 'update', summary: name }),
  async apply({ name }) {
    await set(name, 'external')
    return { moved: true }
  },
  undo: ({ name }) => set(name, null),
}
const mover = word(moverKind)
const kinds = new Map<string, AnyKind>(
  [allowlistAdditionKind, allowlistRemovalKind, allowlistLeftoversKind, moverKind].map(it => [it.name, it]),
)

const desired = () => {
  const firewall = partner.ref
  const { kubeconfig } = cluster
  const users = [{ namespace: NS, label }]
  const ours = { namespace: NS, mark: 'ours', addresses: ['203.0.113.9'], users }
  const open = allowlistAddition('shop', { firewall, kubeconfig, ...ours })
  const [api, web] = pods.map(({ name }) => mover(name, { name }, { after: [open] }))
  const workloads = pods.map(({ name }) => ({ kind: 'Pod' as const, name }))
  const movers = [{ namespace: NS, label, workloads, others: 'count' as const }]
  const want = { firewall, kubeconfig, namespace: NS, keep: ['203.0.113.9'], movers, drain: '0s' }
  const first = allowlistRemoval(`shop/${OLD[0]}`, { ...want, range: OLD[0]! }, { after: [open, api!, web!] })
  const second = allowlistRemoval(`shop/${OLD[1]}`, { ...want, range: OLD[1]! }, { after: [first] })
  const last = allowlistLeftovers(
    'shop',
    { firewall, namespace: NS, mark: 'ours', keep: want.keep, drain: '0s' },
    { after: [open, api!, web!, first, second] },
  )
  return [open, api!, web!, first, second, last]
}

/** Loses its power after so many lines; another process goes on with what it has. */
const journalOf = (lines: Recorded[], cutAfter = Number.POSITIVE_INFINITY): Journal => {
  let left = cutAfter
  return {
    run: 'test',
    record(entry: Entry) {
      cut()
      lines.push(JSON.parse(JSON.stringify({ time: '', run: 'test', ...entry })) as Recorded)
      if (--left <= 0) powered = false
    },
    close() {},
  }
}

/** A dead process makes no call: its fetch ends with it. */
const worldOf = (journal: Journal): World => {
  const abort = new AbortController()
  const firewalls = createFirewalls({
    root: '/',
    signal: abort.signal,
    onSecret: () => undefined,
    cloud: ref => {
      throw new Error(`no ${ref.provider} here`)
    },
  })
  const guarded = (ref: Parameters<typeof firewalls>[0]) => {
    const firewall = firewalls(ref)
    const live =
      <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
      async (...args: A): Promise<T> => {
        cut()
        const answer = await call(...args)
        cut()
        return answer
      }
    return {
      list: live(firewall.list),
      add: live(firewall.add),
      remove: live(firewall.remove),
      passing: (error: unknown) => powered && firewall.passing(error),
    }
  }
  const clients = { ...cluster.clients, firewalls: guarded }
  return { clientsFor: () => clients, journal, watch() {}, stop: new AbortController().signal, abort: abort.signal }
}

const start = async () => {
  powered = true
  partner.watch(undefined)
  for (const { name } of pods) {
    leavesBy.set(name, 'old')
    await cluster.kube.patch(pods.find(it => it.name === name)!, { merge: { metadata: { labels: { egress: null } } } })
  }
  await partner.rules.set(BEFORE.filter(it => it !== LEFT))
  await crunchyBridge(partner.ref, new AbortController().signal).add({ range: LEFT, description: 'ours' })
  partner.history.length = 0
}
const run = async (lines: Recorded[], cutAfter?: number) => {
  const world = worldOf(journalOf(lines, cutAfter))
  return applyPlan(await makePlan(desired(), world), 'rollout/x', world)
}
const back = (lines: Recorded[], cutAfter?: number) =>
  undoAll(standing(lines), kinds, worldOf(journalOf(lines, cutAfter)))

const done = (when: string) => assert.equal([partner.now(), [...leavesBy.values()]], [AFTER, ['new', 'new']], when)
const undone = (when: string) => assert.equal([partner.now(), [...leavesBy.values()]], [BEFORE, ['old', 'old']], when)

const problemIn = (failures: { error: unknown }[]): Problem => {
  assert.is(failures.length, 1)
  assert.instance(failures[0]!.error, Problem)
  return failures[0]!.error as Problem
}

test('there and back: widened first, and the labels after that', async () => {
  await start()
  const lines: Recorded[] = []
  assert.equal((await run(lines)).failures, [])
  done('after the run')
  const parts = lines.flatMap(it => (it.event === 'progress' ? [it.part] : []))
  assert.equal(parts, [
    `let ${OURS} in`,
    `${OURS} is let in`,
    ...[...OLD, LEFT].flatMap(it => [`take ${it} out`, `${it} is out`]),
  ])
  const again = await run(lines)
  assert.ok(
    [...again.changes.values()].every(it => it === null),
    'nothing to do',
  )
  const { undone: order } = await back(lines)
  assert.equal(order.map(it => it.split('/')[0]), ['allowlist-leftovers', 'allowlist-removal', 'allowlist-removal', 'mover', 'mover', 'allowlist-addition']) // biome-ignore format: one line
  undone('after rolling back')
  // The last two changes: the old ones in again; then, when nobody needs it, ours goes.
  assert.equal(partner.history.map(it => it.length), [5, 4, 3, 2, 3, 4, 5, 4]) // biome-ignore format: one line
})

test('after each journal line: on, or back, or back with a second cut', async () => {
  await start()
  const whole: Recorded[] = []
  await run(whole)
  const total = whole.length
  assert.ok(total >= 16, `${total} lines`)
  for (let line = 1; line <= total; line++) {
    const when = `cut after line ${line}`
    await start()
    const lines: Recorded[] = []
    await run(lines, line).catch(() => undefined)
    assert.is(lines.length, line)
    powered = true
    nobodyIsOutside()
    if (line % 2) {
      assert.equal((await run(lines)).failures, [], when)
      done(`${when}, gone on with`)
    }
    for (let n = 0; n < 40; n++) {
      powered = true
      const { failures, left } = await back(lines, (line % 3) + 1).catch(() => ({ failures: [1], left: [] }))
      if (failures.length + left.length === 0) break
      nobodyIsOutside()
    }
    powered = true
    assert.equal((await back(lines)).failures, [], when)
    undone(`${when}, taken back in pieces`)
  }
})

test('after each call to the partner: on, and back', async () => {
  await start()
  partner.calls.length = 0
  await run([])
  const total = partner.calls.length
  assert.ok(total >= 12, `${total} calls`)
  for (let call = 1; call <= total; call++) {
    const when = `cut after call ${call} of ${total}`
    await start()
    let seen = 0
    partner.watch(() => {
      if (++seen === call) powered = false
    })
    const lines: Recorded[] = []
    await run(lines).catch(() => undefined)
    assert.is(powered, false, when)
    partner.watch(undefined)
    powered = true
    nobodyIsOutside()
    if (call % 2) assert.equal((await run(lines)).failures, [], when)
    if (call % 2) done(`${when}, gone on with`)
    assert.equal((await back(lines)).failures, [], when)
    undone(`${when}, taken back`)
  }
})

test('with calls that fail in passing, before and after their effect, it ends the same', async () => {
  for (const after of [false, true])
    for (const status of [429, 500, 503]) {
      await start()
      const lines: Recorded[] = []
      partner.rules.fail(undefined, { status, after }, undefined, { status, after }, { status, after })
      assert.equal((await run(lines)).failures, [])
      done(`${status}, ${after}`)
      partner.rules.fail({ status, after }, undefined, { status, after }, undefined, undefined, { status, after })
      assert.equal((await back(lines)).failures, [])
      undone(`${status}, ${after}, taken back`)
    }
})

test('two who let the same in at the same time both have it, and a refusal is told', async () => {
  await start()
  const { signal } = new AbortController()
  const real = crunchyBridge(partner.ref, signal)
  let looks = 0
  const both = Promise.withResolvers<void>()
  const list = async () => {
    const entries = await real.list()
    if (++looks === 2) both.resolve()
    await both.promise
    return entries
  }
  const quiet = { what: 'the list', signal, waiting: () => undefined, progress: () => undefined }
  const letTwo = (entry: { range: string; description: string }) =>
    Promise.all([1, 2].map(() => letIn({ ...real, list }, entry, quiet)))
  const entry = { range: '198.51.100.99/32', description: 'back again' }
  await letTwo(entry)
  assert.is(partner.now().filter(it => it === entry.range).length, 1)
  const add = () => Promise.reject(new Problem('never', { why: 'it says so', next: 'nothing' }))
  const told: Problem = await letIn({ ...real, add }, { range: '198.51.100.98/32', description: '' }, quiet).catch(it => it) // biome-ignore format: one line
  assert.is(told.message, 'never')
})

test('tenants that share a list take their addresses out side by side, and never the last entry', async () => {
  await start()
  const mine = (n: number) => ({
    ...{ firewall: partner.ref, kubeconfig: cluster.kubeconfig, namespace: NS, mark: `mine ${n}`, users: [] },
    addresses: [`203.0.113.${n}`],
  })
  const tenants = [100, 101, 102, 103].map(n => allowlistAddition(`t${n}`, mine(n)))
  const lines: Recorded[] = []
  const world = worldOf(journalOf(lines))
  assert.equal((await applyPlan(await makePlan(tenants, world), 'rollout/x', world)).failures, [])
  assert.is(partner.now().length, BEFORE.length + 4)
  assert.equal((await back(lines)).failures, [])
  assert.equal(partner.now(), BEFORE)
  lines.length = 0
  assert.equal((await applyPlan(await makePlan(tenants, world), 'rollout/x', world)).failures, [])
  await partner.rules.set(tenants.map((_, at) => `203.0.113.${100 + at}/32`))
  assert.equal((await back(lines)).failures, [])
  assert.is(partner.now().length, 1)
})

test('who has not moved keeps the old entry in', async () => {
  await start()
  const [open, api, , first] = desired()
  const world = worldOf(journalOf([]))
  const alone = { ...first!, after: [open!.id, api!.id] }
  const { failures } = await applyPlan(await makePlan([open!, api!, alone], world), 'rollout/x', world)
  const error = problemIn(failures)
  assert.match(error.message, /198\.51\.100\.7\/32 is still needed/)
  assert.match(error.why, /pod\/web/)
  assert.equal(partner.now(), [...BEFORE, OURS].sort())
})

test('a pod that no workload of ours has counts, unless the inventory says it never calls', async () => {
  await start()
  const spec = { containers: [{ name: 'main', image: 'none' }], nodeName: 'node-1' }
  const stranger = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'stranger', namespace: NS }, spec }
  await cluster.kube.create(stranger as KubeObject)
  const { failures } = await run([])
  assert.match(problemIn(failures).why, /pod stranger/)
  const all = desired().map(it => (it.kind.name === 'allowlist-removal' ? { ...it, want: ignoring(it.want) } : it))
  const world = worldOf(journalOf([]))
  assert.equal((await applyPlan(await makePlan(all, world), 'rollout/x', world)).failures, [])
  done('the stranger left out')
  await cluster.kube.delete({ apiVersion: 'v1', kind: 'Pod', namespace: NS, name: 'stranger' }, { graceSeconds: 0 })
})

/** The same with pods left out that are no workload of ours. */
const ignoring = (want: unknown) => {
  const { movers, ...rest } = want as { movers: object[] }
  return { ...rest, movers: movers.map(it => ({ ...it, others: 'ignore' })) }
}

test('an address of ours is never taken out', async () => {
  await start()
  const [open, api, web, first] = desired()
  const wrong = { ...first!, want: { ...(first!.want as object), range: '203.0.113.9' } }
  let told: unknown
  await makePlan([open!, api!, web!, wrong], worldOf(journalOf([]))).catch(thrown => {
    told = thrown
  })
  assert.match((told as Problem).message, /a fixed address of ours/)
  assert.equal(partner.now(), BEFORE)
})

test('who still leaves by an address of ours keeps it in, and then it goes', async () => {
  await start()
  const lines: Recorded[] = []
  assert.equal((await run(lines)).failures, [])
  const opened = () => standing(lines).filter(it => it.kind === 'allowlist-addition')
  const world = worldOf(journalOf(lines))
  assert.equal((await undoAll(opened(), kinds, world)).failures, [])
  assert.equal(partner.now(), AFTER)
  assert.match(lines.flatMap(it => (it.event === 'progress' ? [it.part] : [])).at(-1) ?? '', /stays: pod api of shop/)
})
