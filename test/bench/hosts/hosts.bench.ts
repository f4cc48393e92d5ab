import { join } from 'node:path'
import { execa } from 'execa'
import { wireTo } from '../../support/wire.ts'
import type { Bench } from '../run.ts'
import { ansible, type Peer } from './ansible.ts'
import { type Job, jobOf } from './job.ts'
import { type Lab, openLab, standing } from './lab.ts'

type Scene = 'first run' | 'no change' | 'one line'
type Timed = { seconds: number; changed: number; megabytes: number }

const sizes = (process.env.EGRESS_BENCH_HOSTS ?? '1,8,32').split(',').map(Number)
const programs = { floor: 'floor.mjs', ours: 'ours.mjs' }
const goals: Record<Scene, number> = { 'first run': 9, 'no change': 50, 'one line': 25 }

/** Squid and UFW on N hosts: ours, the least that SSH allows, and Ansible where EGRESS_BENCH_PEERS has its playbook. */
export const hosts: Bench = async () => {
  const peers = process.env.EGRESS_BENCH_PEERS
  const job = await jobOf(peers)
  const rows: string[][] = []
  const notes: string[] = []
  for (const n of sizes) {
    const lab = await openLab()
    try {
      const peer = await ansible(lab, peers)
      if (typeof peer === 'string' && notes.length === 0) notes.push(peer)
      const measured = await measure(lab, n, job, typeof peer === 'string' ? undefined : peer)
      rows.push(...measured.rows)
      notes.push(...measured.notes)
    } finally {
      await lab.down()
    }
  }
  return {
    title: 'Squid and UFW on N hosts of this machine, seconds of the whole process (median)',
    head: ['hosts', 'what', 'floor', 'ours', 'ours / floor (< 1.3)', 'Ansible', 'Ansible / ours'],
    rows,
    notes,
  }
}

const measure = async (lab: Lab, n: number, job: Job, peer: Peer | undefined) => {
  const times = new Map<string, number[]>()
  const note = (who: string, scene: Scene, { seconds, changed }: Timed) => {
    const expected = scene === 'no change' ? 0 : n
    if (changed !== expected) throw new Error(`${who}, ${scene}: ${changed} hosts changed, not ${expected}`)
    times.set(`${who} ${scene}`, [...(times.get(`${who} ${scene}`) ?? []), seconds])
  }
  const states = new Map<string, string>()
  const seen = (who: string) =>
    states.set(who, lab.hosts.map((it, at) => standing(it, job(`h${at + 1}`, 3))).join('\n'))
  const pristine = async () => {
    await Promise.all(lab.hosts.splice(0).map(it => it.down()))
    await lab.grow(n)
  }
  const node = (who: keyof typeof programs, lifetime: number) => run(who, lab.wish(n, job, lifetime))
  const byAnsible = async (lifetime: number): Promise<Timed> => {
    const began = performance.now()
    const changed = await peer!(n, lifetime)
    return { seconds: (performance.now() - began) / 1000, changed, megabytes: 0 }
  }

  for (const who of ['floor', 'ours'] as const) {
    await pristine()
    note(who, 'first run', await node(who, 3))
    seen(who)
  }
  // Turn by turn, so that what else this machine does falls on both.
  for (let turn = 0; turn < 5; turn++)
    for (const who of ['floor', 'ours'] as const) note(who, 'no change', await node(who, 3))
  for (let turn = 0, lifetime = 4; turn < 3; turn++)
    for (const who of ['floor', 'ours'] as const) note(who, 'one line', await node(who, lifetime++))
  if (peer) {
    await pristine()
    note('Ansible', 'first run', await byAnsible(3))
    seen('Ansible')
    note('Ansible', 'no change', await byAnsible(3))
    note('Ansible', 'one line', await byAnsible(4))
    // What one has left, the other finds nothing to do in.
    note('ours', 'no change', await node('ours', 4))
  }
  const notes = [...states].flatMap(([who, state]) =>
    state === states.get('floor')
      ? []
      : [`${n} hosts: ${who} leaves another state than the floor:\n${firstLine(states.get('floor')!, state)}`],
  )
  const far = n === 1 ? await farAway(lab, job) : []
  return { rows: [...rowsOf(n, times), ...far], notes }
}

const run = async (who: keyof typeof programs, wish: string): Promise<Timed> => {
  const began = performance.now()
  const { stdout } = await execa(process.execPath, [join(import.meta.dirname, programs[who]), wish], {
    timeout: 600_000,
  })
  return { seconds: (performance.now() - began) / 1000, ...JSON.parse(stdout) }
}

/** One host at 20 ms round trip; the wire is the same for both. */
const farAway = async (lab: Lab, job: Job): Promise<string[][]> => {
  const { address } = lab.hosts[0]!
  const wire = await wireTo(address.address, 22, { delayMs: 10 })
  lab.hosts[0]!.address = { ...address, address: '127.0.0.1', port: wire.port }
  const times: Record<string, number[]> = { floor: [], ours: [] }
  try {
    const lifetime = 3
    await run('floor', lab.wish(1, job, lifetime))
    for (let turn = 0; turn < 7; turn++)
      for (const who of ['floor', 'ours'] as const)
        times[who]!.push((await run(who, lab.wish(1, job, lifetime))).seconds)
  } finally {
    lab.hosts[0]!.address = address
    await wire.close()
  }
  const [floor, ours] = [median(times.floor), median(times.ours)]
  return [['1', 'no change, 20 ms away', floor.toFixed(2), ours.toFixed(2), (ours / floor).toFixed(2), '', '']]
}

const rowsOf = (n: number, times: Map<string, number[]>): string[][] =>
  (Object.keys(goals) as Scene[]).map(scene => {
    const [floor, ours, theirs] = ['floor', 'ours', 'Ansible'].map(who => median(times.get(`${who} ${scene}`)))
    const ratio = theirs ? `${(theirs / ours!).toFixed(0)}x (> ${goals[scene]})` : ''
    return [
      `${n}`,
      scene,
      floor!.toFixed(2),
      ours!.toFixed(2),
      (ours! / floor!).toFixed(2),
      theirs ? theirs.toFixed(1) : '',
      ratio,
    ]
  })

const median = (all: number[] = []): number => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0

const firstLine = (a: string, b: string): string => {
  const theirs = new Set(a.split('\n'))
  return b
    .split('\n')
    .filter(it => !theirs.has(it))
    .slice(0, 3)
    .join('\n')
}
