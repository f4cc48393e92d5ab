import * as assert from 'uvu/assert'
import type { Moved } from '../../playbooks/rollout.ts'
import { askGates, type GateResult, isHeld, lineOf, sideBySide } from '../../src/cli/rollout/gates.ts'
import type { OurGate } from '../../src/rollout/gates/all.ts'
import { gate } from '../../src/rollout/gates/gate.ts'
import { fail, inconclusive, pass, type Verdict } from '../../src/rollout/gates/measure.ts'
import type { Patience } from '../../src/rollout/gates/patience.ts'
import { suite } from '../support/suite.ts'
import { stagedWith } from './staged.ts'

const { test } = suite('cli: asking gates')

const at = { name: 'proxy-a', privateIp: '192.0.2.1', port: 3128 }
const moveWith = (inconclusive?: Patience) =>
  ({
    tenant: {
      ...{ tenant: 'a', namespace: 'a-demo', rollout: { inconclusive } },
      egress: { proxy: at, proxies: [at], through: 'address' },
    },
    workload: { kind: 'Deployment', name: 'web' },
  }) as unknown as Moved

// biome-ignore lint/suspicious/noThenProperty: the word of the inventory; nothing awaits it
const patience = (within: string): Patience => ({ within, then: 'ask' })

const saying = (name: string, answers: Verdict[], limits = {}): OurGate =>
  gate(name, { interval: '0s', inconclusiveLimit: 0, ...limits, ask: async () => answers.shift() ?? pass })

const stage = async () => {
  const staged = await stagedWith([])
  Object.assign(staged.session, {
    context: { verify: { echo: [], forbidden: '', probeImage: 'curl' }, cluster: { podCidr: '', serviceCidr: '' } },
    clients: { kube: () => ({}) },
    root: '/',
    run: 'r',
  })
  Object.assign(staged.site, { ids: {} })
  return staged
}

const asked = async (gates: OurGate[], patient?: Patience) => {
  const staged = await stage()
  const told: GateResult[] = []
  const pauses: string[] = []
  const results = await askGates(staged, moveWith(patient), gates, {
    onResult: it => told.push(it),
    onPause: ({ gate, reason }) => pauses.push(`${gate}: ${reason}`),
  })
  assert.equal(results, told)
  return { lines: results.map(lineOf), held: results.every(isHeld), pauses }
}

test('the first gate that does not hold ends it', async () => {
  const it = await asked([saying('one', [pass]), saying('two', [fail('no')]), saying('three', [pass])])
  assert.equal(it, { lines: ['a/web: one: pass', 'a/web: two: fail'], held: false, pauses: [] })
})

test('what was noticed while asking is told with the verdict, once', async () => {
  const staged = await stage()
  const metadata = { name: 'web', namespace: 'a-demo', uid: 'u' }
  const spec = { replicas: 2, updateStrategy: { type: 'OnDelete' }, template: { spec: { containers: [] } } }
  const pod = (name: string, hash: string) => ({
    metadata: { name, labels: { 'controller-revision-hash': hash }, ownerReferences: [{ uid: 'u' }] },
  })
  const kube = {
    get: async () => ({ kind: 'StatefulSet', metadata, spec, status: { updateRevision: 'b' } }),
    list: async () => ({ items: [pod('web-0', 'a'), pod('web-1', 'b')] }),
  }
  Object.assign(staged.session.clients, { kube: () => kube })
  const looks = (name: string): OurGate =>
    gate(name, {
      async ask(subject, probes) {
        await probes.pods(subject)
        return pass
      },
    })
  const move = { ...moveWith(), workload: { kind: 'StatefulSet' as const, name: 'web' } }
  const results = await askGates(staged, move, [looks('one'), looks('two')], { onResult: () => undefined })
  assert.equal(results.map(lineOf), [
    'a/statefulset/web: one: pass; 1 pod keeps its earlier template until the owner renews it (web-0)',
    'a/statefulset/web: two: pass',
  ])
})

test('a Job that is left to finish is not asked about', async () => {
  const staged = await stage()
  const job = { ...moveWith(), workload: { kind: 'Job' as const, name: 'import' } }
  const gates = [saying('one', [fail('it leaves by the old way')])]
  const asked: GateResult[] = []
  assert.equal(await askGates(staged, job, gates, { onResult: it => asked.push(it) }), [])
  assert.equal(asked, [])
})

test('a dry run is told, guards nothing, and nobody waits for it', async () => {
  const gates = [saying('one', [fail('no')], { dryRun: true }), saying('two', [inconclusive('?')], { dryRun: true })]
  const it = await asked([...gates, saying('three', [pass])], patience('10m'))
  const lines = ['a/web: one: fail (dry run)', 'a/web: two: inconclusive (dry run)', 'a/web: three: pass']
  assert.equal(it, { lines, held: true, pauses: [] })
})

test('silence is asked again within the patience of the tenant, and never passes', async () => {
  const patient = await asked([saying('one', [inconclusive('?'), pass])], patience('2s'))
  assert.equal(patient, { lines: ['a/web: one: pass'], held: true, pauses: ['one: ?'] })
  const silent = Array.from({ length: 50 }, () => inconclusive('?'))
  assert.is((await asked([saying('one', silent)], patience('50ms'))).held, false)
  const without = await asked([saying('one', [inconclusive('?'), pass]), saying('two', [pass])])
  assert.equal(without, { lines: ['a/web: one: inconclusive'], held: false, pauses: [] })
})

test('the first failure of a workload ends the gates of the others, wherever they are', async () => {
  const staged = await stage()
  let asking = 0
  const busy = [
    saying('waits an hour between measurements', [], { interval: '1h', count: 2 }),
    saying('waits an hour before the first', [], { initialDelay: '1h' }),
    saying('pauses', Array(50).fill(inconclusive('?'))),
  ]
  const fails = gate('fails', {
    interval: '10ms',
    count: 1000,
    ask: async () => (asking < 3 ? pass : fail('no')),
  }) as OurGate
  const started = saying('starts', [])
  const asks = [...busy, fails].map(it => (enough: AbortSignal) => {
    const onResult = ({ gate }: GateResult) => {
      if (gate === 'starts') asking++
    }
    const gates = it === fails ? [it] : [started, it]
    return askGates(staged, moveWith(patience('1h')), gates, { onResult, onPause: () => undefined }, { enough })
  })
  const results = await sideBySide(asks)
  assert.equal(results.filter(it => !isHeld(it)).map(lineOf), ['a/web: fails: fail'])
  assert.is(results.length, 4)
})

test('an interrupt is not taken for a failure of another', async () => {
  const staged = await stage()
  const abort = new AbortController()
  Object.assign(staged.session.world, { abort: abort.signal })
  const long = saying('long', [], { interval: '1h', count: 2 })
  const { signal: enough } = new AbortController()
  const asking = askGates(staged, moveWith(), [long], { onResult: () => undefined }, { enough })
  abort.abort()
  assert.is((await asking.catch(it => it)).name, 'AbortError')
})
