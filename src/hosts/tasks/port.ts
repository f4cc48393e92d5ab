import { Problem } from '../../engine/problem.ts'
import { isOpenHere, untilHeard } from '../listeners.ts'
import { quote } from '../shell.ts'
import { fields, type TaskKind } from './kind.ts'

/** `host`: an address or name as the host sees it; absent: something on the host itself listens there. */
export type PortTask = { task: 'port'; port: number; host?: string; seconds?: number }
export type PortState = { open: boolean }

const title = ({ port, host }: PortTask) => `port ${host ? `${host}:` : ''}${port}`

/** Waits until a TCP port answers, and fails when it does not in time. Nothing is changed, so nothing is undone. */
export const portTask: TaskKind<PortTask, PortState> = {
  title,
  plain: true,
  look: task => `${task.host === undefined ? isOpenHere(checked(task)) : isOpen(task, task.host)}
if is_open; then echo open yes; else echo open no; fi`,
  parse: output => ({ open: fields(output).open === 'yes' }),
  diff: (task, { open }) =>
    open ? null : { name: title(task), action: 'update', diff: `closed: waits up to ${task.seconds ?? 30} s` },
  change(task) {
    const { host, seconds = 30 } = task
    const late = `${title(task)} did not open within ${seconds} s`
    if (host === undefined) return untilHeard(checked(task), seconds, late)
    return `${isOpen(task, host)}
n=0
until is_open; do
  n=$((n + 1)); [ $n -le ${Math.ceil(seconds * 5)} ] || { echo ${quote(late)}; exit 1; }
  sleep 0.2
done`
  },
  restore: () => ':',
  same: () => true,
}

/** Elsewhere: by whichever of bash, nc and curl the host has. */
const isOpen = (task: PortTask, host: string): string => {
  const port = checked(task)
  if (!/^[\w.:-]+$/.test(host) || host.startsWith('-')) throw bad(`${JSON.stringify(host)} is not a host`)
  return `is_open() {
  if command -v bash >/dev/null; then timeout 3 bash -c ': <"/dev/tcp/$0/$1"' ${host} ${port}
  elif command -v nc >/dev/null; then nc -z -w 3 ${host} ${port}
  else [ "$(curl -s -o /dev/null --connect-timeout 3 -m 4 -w '%{time_connect}' 'telnet://${host.includes(':') ? `[${host}]` : host}:${port}' </dev/null)" != 0.000000 ]; fi >/dev/null 2>&1
}`
}

const checked = ({ port }: PortTask): number => {
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw bad(`${port} is not a port`)
  return port
}

const bad = (why: string) =>
  new Problem('a port cannot be waited for', { why, next: 'correct it where the task is written', exit: 2 })
