import { spawn } from 'node:child_process'
import { enter } from './machines/box.ts'
import { exitCode } from './machines/exec.ts'
import type { Host } from './machines/machines.ts'
import { netnsFile } from './machines/netns.ts'
import { plainEnvironment } from './machines/run.ts'
import type { Status } from './status.ts'
import { Trouble } from './trouble.ts'

/** Runs a command inside a host with our own streams; on a host without processes of its own, in its network only. */
export const execOnHost = async ({ hosts }: Status, name: string, command: string[]): Promise<number> => {
  const host = find(hosts, name)
  const [program, ...rest] = command
  if (!program)
    throw new Trouble('nothing to run', { why: 'exec needs a command', next: `exec ${name} -- CMD...`, exit: 2 })
  const rooted = host.kind === 'node' || host.kind === 'dns' || host.kind === 'internet'
  if (host.pid === null && !rooted) {
    throw new Trouble(`${name} does not run`, {
      why: `the ${host.kind} is off or has ended`,
      next: 'status shows what runs',
    })
  }
  const inside = host.pid === null ? [`--net=${netnsFile(host.netns)}`] : enter(host.pid)
  const base = { ...plainEnvironment, HOME: '/root', USER: 'root', TERM: process.env.TERM ?? 'dumb' }
  const child = spawn('/usr/bin/nsenter', [...inside, program, ...rest], {
    stdio: 'inherit',
    env: { ...base, ...host.env },
  })
  // the terminal sends ^C to the command as well: we only wait for what it makes of it
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.on(signal, () => {})
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(exitCode(code, signal)))
  })
}

const find = (hosts: Host[], name: string): Host => {
  const found =
    hosts.find(it => it.name === name || it.netns === name) ??
    hosts.find(it => it.kind === 'pod' && it.name.split('/')[1] === name)
  if (found) return found
  throw new Trouble(`there is no host ${name}`, {
    why: `this sandbox has ${hosts.map(it => it.name).join(', ')}`,
    next: 'name one of them; pods are NAMESPACE/POD or POD',
    exit: 2,
  })
}
