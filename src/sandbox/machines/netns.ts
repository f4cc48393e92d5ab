import { readdirSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { pause, type RunOptions, run } from './run.ts'

const directory = '/run/netns'

export const netnsFile = (name: string): string => `${directory}/${name}`

/** The namespace's inode number, which says which processes are in it; null: there is none. */
export const netnsInode = (name: string): number | null => {
  const found = statSync(netnsFile(name), { throwIfNoEntry: false })
  // a power cut between making the file and mounting the namespace on it leaves a plain file
  return found && found.dev !== statSync(directory).dev ? found.ino : null
}

export const netnsExists = (name: string): boolean => netnsInode(name) !== null

export const namespaces = (prefix: string): string[] => {
  try {
    return readdirSync(directory).filter(it => it.startsWith(prefix))
  } catch {
    return []
  }
}

/** Makes the namespace unless it is there; says whether it is new. */
export const makeNetns = async (name: string, { forward = false } = {}): Promise<boolean> => {
  if (netnsExists(name)) return false
  rmSync(netnsFile(name), { force: true })
  await run('ip', ['netns', 'add', name])
  await inNet(name, 'sh', ['-ec', [noIpv6, ...(forward ? [router] : []), 'ip link set lo up'].join('\n')])
  return true
}

/** No link-local IPv6 and its chatter on links to come; a kernel without IPv6 has no such file, or refuses. */
const noIpv6 = 'echo 1 2>/dev/null >/proc/sys/net/ipv6/conf/default/disable_ipv6 || :'

/** Routers check that a source is reached where the packet came from, so that no host can pose as another. */
const router = `cd /proc/sys/net/ipv4
echo 1 >ip_forward
echo 1 >conf/all/rp_filter
echo 0 >conf/all/send_redirects
echo 0 >conf/default/send_redirects`

/** Runs lines of ip(8) in one process. `force` goes on after lines that fail, for bringing down what may be gone. */
export const ip = async (lines: string[], { ns, force = false }: { ns?: string; force?: boolean } = {}) => {
  if (lines.length === 0) return
  const args = [...(ns ? ['-n', ns] : []), ...(force ? ['-force'] : []), '-batch', '-']
  await run('ip', args, { input: `${lines.join('\n')}\n`, accept: force ? [0, 1, 2] : [0] })
}

export const inNet = (ns: string, command: string, args: string[], options?: RunOptions): Promise<string> =>
  run('nsenter', [`--net=${netnsFile(ns)}`, command, ...args], options)

/** Replaces the given tables at once: there is no moment without rules. */
export const nft = async (ns: string, tables: { name: string; body: string }[]): Promise<void> => {
  const text = tables.map(
    ({ name, body }) => `table ip ${name}\ndelete table ip ${name}\ntable ip ${name} {\n${body}\n}\n`,
  )
  await inNet(ns, 'nft', ['-f', '-'], { input: text.join('') })
}

export const pidsOf = (inodes: ReadonlySet<number>): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter(pid => pid > 0 && inodes.has(inodeOf(pid) ?? -1))

/** Which network namespace a process is in; null: the process is gone. */
export const inodeOf = (pid: number): number | null => {
  try {
    return Number(/\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/ns/net`))?.[1] ?? Number.NaN)
  } catch {
    return null
  }
}

/** Ends every process in the namespaces, whoever started it. A process that forks as we look is caught by the next look. */
export const endProcesses = async (names: string[]): Promise<void> => {
  const inodes = new Set(names.map(netnsInode).filter(it => it !== null))
  if (inodes.size === 0) return
  for (let look = 0; look < 200; look++) {
    const pids = pidsOf(inodes)
    if (pids.length === 0) return
    for (const pid of pids) kill(pid, 'SIGKILL')
    await pause(Math.min(5 + look, 50))
  }
  throw new Error(`processes in ${names.join(', ')} do not end: ${pidsOf(inodes).join(', ')}`)
}

export const dropNetns = async (names: string[]): Promise<void> => {
  await endProcesses(names)
  await ip(
    names.filter(netnsExists).map(it => `netns del ${it}`),
    { force: true },
  )
  for (const name of names) rmSync(netnsFile(name), { force: true })
}

export const kill = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown
  }
}
