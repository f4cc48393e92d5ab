import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { ensurePackages } from './debian.ts'
import { readText } from './machines/files.ts'
import { pause } from './machines/run.ts'
import { claimSlot, daemonPid } from './machines/slots.ts'
import { answers } from './reach.ts'
import { Trouble } from './trouble.ts'

/** Starts the daemon unless one runs, and returns when it has taken over and answers. */
export const up = async (
  directory: string,
  command: (verb: string, directory: string) => string,
  say: (line: string) => void,
) => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new Trouble('the sandbox cannot start here', {
      why: `it makes network namespaces, which takes root on Linux; this is ${process.platform}, user ${process.getuid?.()}`,
      next: 'run it as root on a Linux machine, a virtual machine or a privileged container',
    })
  }
  await ensurePackages(say)
  const world = await claimSlot(directory, it => command('down', it))
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  mkdirSync(world.run, { recursive: true, mode: 0o700 })
  const log = join(directory, 'daemon.log')
  let pid = daemonPid(directory) ?? start(directory, log)
  for (const until = Date.now() + 120_000; Date.now() < until; await pause(15)) {
    if (await answers(world)) return world
    if (alive(pid)) continue
    // two that came up at once: one daemon steps back, the other may not have written its pid yet
    await pause(300)
    const other = daemonPid(directory)
    if (other === null) break
    pid = other
  }
  throw new Trouble('the sandbox did not start', {
    why: `its daemon ${alive(pid) ? 'does not answer' : 'ended'}: ${lastWords(readText(log) ?? '')}`,
    next: `read ${log}; ${command('down', directory)} removes everything`,
  })
}

const start = (directory: string, logFile: string): number => {
  const log = openSync(logFile, 'a', 0o600)
  const child = spawn(process.execPath, [join(import.meta.dirname, 'daemon.ts'), directory], {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
  })
  closeSync(log)
  child.unref()
  return child.pid ?? 0
}

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !/\) Z /.test(readText(`/proc/${pid}/stat`) ?? ') Z ')
  } catch {
    return false
  }
}

const lastWords = (log: string): string => {
  const lines = log.trim().split('\n')
  return lines.findLast(it => /error/i.test(it))?.trim() ?? lines.at(-1) ?? 'it said nothing'
}
