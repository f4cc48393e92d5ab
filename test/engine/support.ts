import { type Desired, word } from '../../src/engine/desired.ts'
import type { Entry, Journal, Recorded } from '../../src/engine/journal.ts'
import type { AnyKind, Kind } from '../../src/engine/kind.ts'
import type { World } from '../../src/engine/world.ts'

export class PowerCut extends Error {}

/** A cloud of named boxes that makes ids, refuses what real clouds refuse, and can lose its power. */
export class Cloud {
  boxes = new Map<string, { id: string; parents: string[]; value: string }>()
  made: string[] = []
  powered = true
  /** Names whose next apply fails, before or after it took effect. */
  failing = new Map<string, 'before' | 'after'>()
  #next = 1

  async create(name: string, parents: string[], value: string) {
    await this.#tick()
    if (this.failing.get(name) === 'before') throw new Error(`${name} was refused`)
    if (this.boxes.has(name)) throw new Error(`${name} was made twice`)
    for (const parent of parents)
      if (![...this.boxes.values()].some(it => it.id === parent)) throw new Error(`${parent} is missing`)
    const box = { id: `id-${this.#next++}`, parents, value }
    this.boxes.set(name, box)
    this.made.push(name)
    if (this.failing.get(name) === 'after') throw new Error(`${name}: connection lost`)
    return box
  }

  async change(name: string, value: string) {
    await this.#tick()
    if (this.failing.get(name) === 'before') throw new Error(`${name} was refused`)
    this.boxes.get(name)!.value = value
    if (this.failing.get(name) === 'after') throw new Error(`${name}: connection lost`)
  }

  async remove(name: string) {
    await this.#tick()
    const box = this.boxes.get(name)
    if (!box) return
    const child = [...this.boxes].find(([, it]) => it.parents.includes(box.id))
    if (child) throw new Error(`${name} is still used by ${child[0]}`)
    this.boxes.delete(name)
  }

  names() {
    return [...this.boxes.keys()].sort()
  }

  async #tick() {
    await new Promise(resolve => setImmediate(resolve))
    if (!this.powered) throw new PowerCut('no power')
  }
}

type Want = { name: string; parents: string[]; value: string }
type Live = { id: string; value: string }

export const box: Kind<Want, Live, Cloud> = {
  name: 'box',
  async read({ name }, cloud) {
    const found = cloud.boxes.get(name)
    return found ? { id: found.id, value: found.value } : null
  },
  diff({ name, value }, live) {
    if (!live) return { action: 'create', summary: `box ${name}` }
    return live.value === value ? null : { action: 'update', summary: `box ${name}: ${live.value} -> ${value}` }
  },
  async apply({ name, parents, value }, cloud, live) {
    if (!live) return { id: (await cloud.create(name, parents, value)).id, value }
    await cloud.change(name, value)
    return { ...live, value }
  },
  async undo({ name }, cloud, before) {
    if (!before) await cloud.remove(name)
    else await cloud.change(name, before.value)
  },
}

/** A box that others live in: its value is fixed for life. */
export const shelf: Kind<Want, Live, Cloud> = {
  ...box,
  name: 'shelf',
  holds: true,
  diff(want, live) {
    const change = box.diff(want, live)
    if (change?.action !== 'update') return change
    return { ...change, action: 'replace', why: 'its value is fixed when it is made' }
  },
}

export const boxes = new Map<string, AnyKind>([
  ['box', box],
  ['shelf', shelf],
])
const boxed = word(box)
const shelved = word(shelf)

/** Files on a box: seen only through it, and gone with it. */
export const files: Kind<Want, Live, Cloud> = { ...box, name: 'files', looksThroughParents: true }

/** A shelf whose value may differ; on it boxes, one in the other; beside it one that only comes later. */
export const shelfWith = (value: string): Desired[] => {
  const root = boxed('root', { name: 'root', parents: [], value: 'new' })
  const net = shelved('net', { name: 'net', parents: [root.out.id], value })
  const address = boxed('address', { name: 'address', parents: [net.out.id], value: 'new' })
  const server = boxed('server', { name: 'server', parents: [address.out.id], value: 'new' })
  const cluster = shelved('cluster', { name: 'cluster', parents: [net.out.id], value: 'new' })
  const pool = boxed('pool', { name: 'pool', parents: [cluster.out.id], value: 'new' }, { after: [server] })
  const beside = boxed('beside', { name: 'beside', parents: [root.out.id], value: 'new' }, { after: [pool] })
  return [root, net, address, server, cluster, pool, beside]
}

/** Fourteen boxes: two roots, forks, joins, a long chain; `existing` ones are there before, with another value. */
export const fourteen = (): Desired[] => {
  const made = new Map<string, ReturnType<typeof boxed>>()
  const add = (name: string, ...parents: string[]) => {
    made.set(name, boxed(name, { name, parents: parents.map(it => made.get(it)!.out.id), value: 'new' }))
  }
  add('vpc')
  add('key')
  add('net', 'vpc')
  add('address-a', 'net')
  add('address-b', 'net')
  add('gateway', 'net')
  add('server-a', 'address-a', 'key')
  add('server-b', 'address-b', 'key')
  add('cluster', 'net')
  add('pool-a', 'cluster', 'gateway')
  add('pool-b', 'cluster', 'gateway')
  add('play-a', 'server-a')
  add('play-b', 'server-b')
  add('rollout', 'play-a', 'play-b', 'pool-a', 'pool-b')
  return [...made.values()]
}

/** What stood before we came: the address is somebody's with another value, and must come back. */
export const cloudBefore = async () => {
  const cloud = new Cloud()
  const vpc = await cloud.create('vpc', [], 'old')
  await cloud.create('net', [vpc.id], 'new')
  cloud.made = []
  return cloud
}

/** A journal in memory that cuts the power of the cloud right after its n-th line. */
export class Lines implements Journal {
  readonly run: string
  lines: Recorded[]
  #left: number
  #cloud: Cloud

  constructor(cloud: Cloud, history: Recorded[] = [], cutAfter = Number.POSITIVE_INFINITY, run = 'test') {
    this.run = run
    this.lines = history
    this.#cloud = cloud
    this.#left = cutAfter
  }

  record(entry: Entry) {
    if (!this.#cloud.powered) throw new PowerCut('no power')
    this.lines.push(JSON.parse(JSON.stringify({ time: '', run: this.run, ...entry })) as Recorded)
    if (--this.#left <= 0) this.#cloud.powered = false
  }

  close() {}
}

export const worldOf = (cloud: Cloud, journal: Journal): World => ({
  clientsFor: () => cloud,
  journal,
  watch() {},
  stop: new AbortController().signal,
  abort: new AbortController().signal,
})
