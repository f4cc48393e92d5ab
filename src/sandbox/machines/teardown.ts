import { existsSync, readFileSync, rmSync } from 'node:fs'
import { dropNetns, ip, kill, namespaces } from './netns.ts'
import { pause, run } from './run.ts'
import { daemonPid, heldBy, releaseSlot, startTime } from './slots.ts'
import { operatorLink } from './world.ts'

/**
 * Removes everything a state directory stands for, from what the kernel says and not from what was written down: it
 * works after any process was killed, and twice. The claim goes last, so that an interrupted one can be run again.
 */
export const teardown = async (directory: string): Promise<boolean> => {
  const pid = daemonPid(directory)
  if (pid !== null) await endDaemon(pid)
  const world = heldBy(directory)
  if (world) {
    const link = operatorLink(world)
    if (existsSync(`/sys/class/net/${link}`)) await ip([`link del ${link}`], { force: true })
    // twice: a process that was on its way into a namespace may have kept one open
    for (let round = 0; round < 2; round++) await dropNetns(namespaces(world.prefix))
  }
  await unmount(directory)
  const found = world !== null || pid !== null || existsSync(directory)
  rmSync(directory, { recursive: true, force: true })
  if (world) await releaseSlot(world)
  return found
}

const endDaemon = async (pid: number) => {
  const started = startTime(pid)
  kill(pid, 'SIGTERM')
  for (let look = 0; look < 2000; look++) {
    if (startTime(pid) !== started) return
    if (look === 100) kill(pid, 'SIGKILL')
    await pause(15)
  }
  throw new Error(`the daemon, process ${pid}, does not end`)
}

const mountsBelow = (directory: string): string[] =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map(line =>
      (line.split(' ')[1] ?? '').replace(/\\(\d{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    )
    .filter(it => it === directory || it.startsWith(`${directory}/`))
    .reverse()

/** Mounts of hosts went with their namespaces; the kernel may need a moment for the last of them. */
const unmount = async (directory: string) => {
  for (let look = 0; look < 100; look++) {
    const mounts = mountsBelow(directory)
    if (mounts.length === 0) return
    for (const it of mounts) await run('umount', [...(look > 60 ? ['-l'] : []), it], { accept: [0, 1, 32] })
    if (mountsBelow(directory).length > 0) await pause(30)
  }
}
