import { spawn } from 'node:child_process'
import { PassThrough } from 'node:stream'
import type { ExecProcess, PodSpec } from '../ports.ts'
import { enter } from './box.ts'
import { confined } from './confined.ts'
import { quote } from './run.ts'

const signals: Record<string, number> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGPIPE: 13,
  SIGTERM: 15,
}

/** Exit code as a shell gives it. */
export const exitCode = (code: number | null, signal: NodeJS.Signals | null): number =>
  code ?? 128 + (signals[signal ?? ''] ?? 0)

type Options = {
  tty: boolean
  stdin: boolean
  env: Record<string, string>
  container: PodSpec['containers'][number]
}

/** Another process in a running container. A terminal is what script(1) makes; its size cannot be changed. */
export const execInside = (pid: number, command: string[], { tty, stdin, env, container }: Options): ExecProcess => {
  const words = tty ? ['script', '-qefc', command.map(quote).join(' '), '/dev/null'] : command
  // By their paths: a container may have no PATH that leads to them.
  const inside = ['/usr/bin/env', '-C', container.workingDir ?? '/', ...confined(container), ...words]
  const child = spawn('/usr/bin/nsenter', [...enter(pid), ...inside], {
    env: tty ? { TERM: 'xterm', ...env } : env,
    // its own group: nsenter is a parent that passes no signals on
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  // the other side may leave while we still write
  child.stdin.on('error', () => {})
  if (!stdin) child.stdin.end()
  const stderr = new PassThrough()
  child.stderr.pipe(stderr, { end: false })
  const ended = new Promise<number>(resolve => {
    child.on('error', thrown => {
      stderr.end(`${thrown.message}\n`)
      resolve(126)
    })
    child.on('close', (code, signal) => {
      stderr.end()
      resolve(exitCode(code, signal))
    })
  })
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr,
    ended,
    kill() {
      try {
        if (child.pid) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // it has ended
      }
    },
  }
}
