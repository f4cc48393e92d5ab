import { existsSync, linkSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Trouble } from '../trouble.ts'
import { readJson, readText } from './files.ts'
import { addressesInUse, isIn } from './in-use.ts'
import { namespaces } from './netns.ts'
import { run } from './run.ts'
import { operatorLink, prefixOf, ranges, runDirectory, type World, worldOf } from './world.ts'

type Claim = { directory: string; command: string }

const netnsDirectory = '/run/netns'
const madeNetns = join(runDirectory, 'made-netns')
const claimFile = (slot: number) => join(runDirectory, `slot-${slot}.json`)
const slots = ranges.map((_, slot) => slot)

export const claimOf = (slot: number): Claim | null => readJson<Claim>(claimFile(slot))

/** The slot a state directory holds; null: none. */
export const heldBy = (directory: string): World | null => {
  const slot = slots.find(it => claimOf(it)?.directory === directory)
  return slot === undefined ? null : worldOf(directory, slot)
}

/** Finds the slot of this state directory, or takes a free one. Two that ask at once cannot both get it. */
export const claimSlot = async (directory: string, downCommand: (directory: string) => string): Promise<World> => {
  const held = heldBy(directory)
  if (held) return held
  const first = mkdirSync(runDirectory, { recursive: true }) !== undefined
  // ip(8) makes this directory, and a mount on it, with the first namespace of the machine
  if (first && !existsSync(netnsDirectory)) writeFileSync(madeNetns, '')
  const inUse = await addressesInUse()
  const holders: string[] = []
  for (const slot of slots) {
    const claim = claimOf(slot)
    if (claim?.directory === directory) return worldOf(directory, slot)
    if (claim && stale(slot, claim)) rmSync(claimFile(slot), { force: true })
    else if (claim) {
      holders.push(`${ranges[slot]} by ${claim.directory} (${claim.command})`)
      continue
    }
    const peer = inUse.find(it => isIn(it, ranges[slot]!))
    const other = peer ? `it talks to ${peer}` : await foreignRoute(slot)
    if (other) {
      holders.push(`${ranges[slot]} by this machine itself (${other})`)
      continue
    }
    const text = JSON.stringify({ directory, command: downCommand(directory) } satisfies Claim)
    if (take(slot, text)) return worldOf(directory, slot)
    const winner = claimOf(slot)?.directory
    if (winner === directory) return worldOf(directory, slot)
    holders.push(`${ranges[slot]} by ${winner ?? 'another one that is starting'}`)
  }
  throw new Trouble('no room for another sandbox on this machine', {
    why: `all of its address ranges are taken: ${holders.join('; ')}`,
    next: 'run one of the commands in parentheses, then up again',
  })
}

/** Whole or not at all, and only one of two: a link is made once. */
const take = (slot: number, text: string): boolean => {
  const draft = `${claimFile(slot)}.${process.pid}`
  writeFileSync(draft, text)
  try {
    linkSync(draft, claimFile(slot))
    return true
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown
    return false
  } finally {
    rmSync(draft)
  }
}

/** The last one to go takes with it what the first one brought. */
export const releaseSlot = async ({ slot, run: sockets }: World): Promise<void> => {
  rmSync(sockets, { recursive: true, force: true })
  rmSync(claimFile(slot), { force: true })
  if (!existsSync(runDirectory)) return
  const left = readdirSync(runDirectory)
  if (left.some(it => it !== basename(madeNetns))) return
  if (left.length === 1 && namespaces('').length === 0) {
    await run('umount', [netnsDirectory], { accept: [0, 1, 32] })
    await run('rmdir', [netnsDirectory], { accept: [0, 1] })
  }
  rmSync(runDirectory, { recursive: true, force: true })
}

/** A claim nobody stands behind: its directory, its daemon and its namespaces are all gone. */
const stale = (slot: number, { directory }: Claim): boolean =>
  !existsSync(directory) && namespaces(prefixOf(slot)).length === 0 && daemonPid(directory) === null

/** The daemon of a state directory, known by pid and start time; null: it does not run. */
export const daemonPid = (directory: string): number | null => {
  const [pid, started] = (readText(join(directory, 'daemon.pid')) ?? '').trim().split(' ')
  return pid && started === startTime(Number(pid)) ? Number(pid) : null
}

/** When a process started, in clock ticks since boot: with its pid it names one process for ever; null: gone. */
export const startTime = (pid: number): string | null => {
  const fields = readText(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ')
  return !fields || fields[0] === 'Z' ? null : fields[19]!
}

const foreignRoute = async (slot: number): Promise<string | null> => {
  const show = (which: string) => run('ip', ['-o', '-4', 'route', 'show', which, ranges[slot]!])
  const routes = `${await show('root')}\n${await show('match')}`
  const own = operatorLink(worldOf(dirname('/'), slot))
  return (
    routes
      .split('\n')
      .find(it => it.trim() !== '' && !it.startsWith('default') && !it.includes(` dev ${own} `))
      ?.trim() ?? null
  )
}
