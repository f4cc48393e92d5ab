import { isOpenHere, whoListens } from './listeners.ts'
import { quote } from './shell.ts'

/** What must hold on a host after a change: a command succeeds, a port listens (`by` a program of that name), something answers HTTP there. */
export type Health = ({ command: string } | { port: number; by?: string } | { http: number }) & {
  withinSeconds?: number
}

/** The same as sh, for the runner: `run` is asked again until it succeeds or the time is over. */
export type HealthStep = { title: string; run: string; withinSeconds: number }

export const healthStep = (it: Health): HealthStep => {
  const { withinSeconds = 30 } = it
  if ('command' in it)
    return { title: `health check ${it.command}`, run: `timeout -k 2 10 sh -c ${quote(it.command)}`, withinSeconds }
  if ('port' in it) return { title: `health check of port ${it.port}`, run: listens(it.port, it.by), withinSeconds }
  return { title: `health check of HTTP at port ${it.http}`, run: answers(it.http), withinSeconds }
}

/** Read from the kernel: a connection would be one more entry in somebody's log. */
const listens = (port: number, by?: string) =>
  `${isOpenHere(port)}
is_open || { echo 'nothing listens on port ${port}'; exit 1; }${by ? heldBy(port, by) : ''}`

const heldBy = (port: number, by: string) => `
${whoListens}who=$(who_listens ${port} | tr '\\n' ' ')
case $who in *${quote(`${by} (pid`)}* | *cannot*) ;; *) echo "port ${port} is taken by \${who% }, not by ${by}"; exit 1 ;; esac`

/** Any status is an answer. sh has no sockets of its own, so one of the usual tools lends them. */
const answers = (port: number) => {
  const ask = `exec 3<>/dev/tcp/127.0.0.1/${port} && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && IFS= read -r line <&3 && case $line in HTTP/*) ;; *) false ;; esac`
  return `if command -v bash >/dev/null; then timeout -k 2 5 bash -c ${quote(ask)} 2>/dev/null
elif command -v curl >/dev/null; then curl -s -o /dev/null --noproxy '*' --max-time 5 http://127.0.0.1:${port}/
else echo 'this check needs bash or curl on the host'; exit 1; fi || { echo 'nothing answers HTTP on port ${port}'; exit 1; }`
}
