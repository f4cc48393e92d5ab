import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { put, readText } from './files.ts'
import { hostnameOf } from './hostname.ts'
import { inodeOf, kill, netnsFile, netnsInode } from './netns.ts'
import { pause, plainEnvironment, quote } from './run.ts'
import type { World } from './world.ts'

/**
 * A box is what runs on a host: an overlay root, and mount, pid, uts and ipc namespaces of its own in the host's network
 * namespace. Two processes: the command as pid 1, and a shell that notes how it ended. Both outlive the daemon.
 */
export type Box = {
  directory: string
  netns: string
  hostname: string
  command: string[]
  /** Directories of the machine that are seen in it; `to` is there. */
  binds?: { from: string; to: string }[]
  /** Its root, but for what is mounted in it. */
  readOnly?: boolean
}

const recorder = `
cd "$1" || exit
exec unshare --mount --propagation private --pid --uts --ipc sh ./outside.sh "$@" </dev/null >>log 2>&1
`

/**
 * unshare(1) could fork and wait itself, but it gives 1 for a command that was killed. Only shell builtins here: the first
 * child becomes pid 1, and once that has ended nothing can be started in its pid namespace.
 */
const outside = `
sh ./inside.sh "$@" &
echo $! >outer
wait $!
code=$?
now=
read -r now <outer
# a box that was started again meanwhile has an end of its own
[ "$now" != $! ] || echo $code >exit
`

/**
 * A /dev of its own in the directory `dev`, with what programs of a server need: nothing in it reaches the machine's
 * disks, consoles or log. Where nodes may not be made, the machine's are shown.
 */
export const ownDevices = `mount -t tmpfs -o mode=755,nosuid tmpfs dev
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty dev/ 2>/dev/null && : 2>/dev/null >dev/null ||
  for it in null zero full random urandom tty; do rm -f dev/$it; : >dev/$it; mount --bind /dev/$it dev/$it; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr`

const inside = (lower: string, { binds = [], readOnly }: Pick<Box, 'binds' | 'readOnly'>) => `
set -e
name=$2
shift 2
mount -t overlay overlay -o 'lowerdir=${lower},upperdir=up,workdir=work' root
cd root
${ownDevices}
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
mkdir -p run/lock
chmod 1777 run/lock
${binds.map(({ from, to }) => `mkdir -p ${quote(`.${to}`)}; mount --bind ${quote(from)} ${quote(`.${to}`)}`).join('\n')}
${readOnly ? 'mount -o remount,ro .; mount -o remount,ro run' : ''}
hostname "$name"
(ulimit -n 65536) 2>/dev/null && ulimit -n 65536 || ulimit -n "$(ulimit -H -n)"
exec 9>../ready
# said from inside: whoever enters a box before its root is changed is on the machine itself
exec chroot . sh -c 'echo >&9; exec "$@" 9>&-' sh "$@"
`

/** The disk of a box that may not run yet; files can be put there. */
export const disk = (directory: string): string => {
  const up = join(directory, 'up')
  for (const it of [up, join(directory, 'work'), join(directory, 'root')])
    mkdirSync(it, { recursive: true, mode: 0o755 })
  return up
}

/** Starts the command and returns once it runs, or has already ended. */
export const startBox = async (
  world: World,
  { directory, netns, hostname, command, ...mounts }: Box,
): Promise<void> => {
  disk(directory)
  for (const it of ['ready', 'exit', 'outer']) rmSync(join(directory, it), { force: true })
  // relative paths: a colon or a comma in the state directory's own path would cut lowerdir short
  const layers = ['common', 'clean'].map(it => relative(directory, join(world.hosts, 'layers', it)))
  put(join(directory, 'outside.sh'), outside)
  put(join(directory, 'inside.sh'), inside([...layers, '/'].join(':'), mounts))
  const args = [`--net=${netnsFile(netns)}`, 'sh', '-c', recorder, 'box', directory, hostnameOf(hostname), ...command]
  const child = spawn('/usr/bin/nsenter', args, { detached: true, stdio: 'ignore', env: plainEnvironment })
  let failed: Error | undefined
  child.on('error', thrown => {
    failed = thrown
  })
  child.unref()
  for (let look = 0; look < 2000; look++) {
    if (failed) throw failed
    if (readText(join(directory, 'ready')) || existsSync(join(directory, 'exit'))) return
    await pause(look < 20 ? 4 : 15)
  }
  throw new Error(`${hostname} did not start: ${readText(join(directory, 'log'))?.trim() || 'nothing in its log'}`)
}

/** The host's pid 1 as the machine sees it; null: it does not run. */
export const boxPid = ({ directory, netns }: Pick<Box, 'directory' | 'netns'>): number | null => {
  const pid = Number(readText(join(directory, 'outer')) ?? 0)
  // a recycled pid is not in this network namespace; a zombie is in none
  return pid && inodeOf(pid) === (netnsInode(netns) ?? -1) ? pid : null
}

/** Waits until something in the box listens on this TCP port; half a minute at most, and then goes on. */
export const listening = async (box: Pick<Box, 'directory' | 'netns'>, port: number): Promise<void> => {
  const socket = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, '0')} 0{8}:0000 0A`)
  for (const until = Date.now() + 30_000; Date.now() < until; await pause(8)) {
    const pid = boxPid(box)
    if (pid !== null && socket.test(readText(`/proc/${pid}/net/tcp`) ?? '')) return
  }
}

/** null: it runs, or was killed so hard that nobody noted its end. */
export const boxExit = (directory: string): number | null => {
  const text = readText(join(directory, 'exit'))
  return text?.endsWith('\n') ? Number(text) : null
}

/** TERM, and KILL after the grace: pid 1 takes every process of the box with it. */
export const stopBox = async (box: Pick<Box, 'directory' | 'netns'>, graceSeconds = 0): Promise<void> => {
  const pid = boxPid(box)
  if (pid === null) return
  const gone = async (milliseconds: number) => {
    for (const until = Date.now() + milliseconds; Date.now() < until; await pause(5))
      if (boxPid(box) === null) return true
    return false
  }
  if (graceSeconds > 0) {
    kill(pid, 'SIGTERM')
    if (await gone(graceSeconds * 1000)) return
  }
  kill(pid, 'SIGKILL')
  if (!(await gone(5000))) throw new Error(`process ${pid} of ${box.netns} does not end`)
}

/** Arguments for nsenter(1) that put a command into a running box. */
export const enter = (pid: number): string[] => ['-t', String(pid), '-m', '-u', '-i', '-n', '-p', '-r', '-w']
