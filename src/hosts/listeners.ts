import { quote } from './shell.ts'

const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, '0')

/**
 * Defines `is_open`: whether somebody listens on a TCP port, as sh that needs no process. The kernel lists those that
 * listen first, so it is soon found; to find that there is none it goes through all its connections.
 */
export const isOpenHere = (port: number): string => `is_open() {
  for table in /proc/net/tcp6 /proc/net/tcp; do
    while read -r _ at _ state _; do
      case $state$at in 0A*:${hex(port)}) return 0 ;; 0A* | st*) ;; *) break ;; esac
    done <"$table"
  done 2>/dev/null
  return 1
}`

/** Waits in words of the step until somebody listens on a port, looking when the kernel's count of sockets has changed. */
export const untilHeard = (port: number, seconds: number, late: string): string => `${isOpenHere(port)}
n=0 stirred=
until stirs $n && is_open; do
  n=$((n + 1)); [ $n -le ${Math.ceil(seconds * 5) + 20} ] || { echo ${quote(late)}; exit 1; }
  nap $n
done`

/**
 * Who listens on the TCP ports that it is called with, a line each, as sh: `who_listens 3128` prints `nginx (pid 812)`.
 * Only root sees all. Goes through every process where somebody listens, so it is for where it matters who.
 */
export const whoListens = `who_listens() {
  for it; do
    if command -v ss >/dev/null; then
      ss -Hltnp "sport = :$it" | sed 's/.*users:(("\\([^"]*\\)",pid=\\([0-9]*\\),.*/\\1 (pid \\2)/; t; s/.*/a process that cannot be seen/'
    else
      sed -n "s/^ *[0-9]*: [0-9A-F]*:$(printf %04X "$it") [0-9A-F]*:0000 0A .*/a process that cannot be named without ss/p" /proc/net/tcp6 /proc/net/tcp
    fi 2>/dev/null | sort -u
  done
}
`

/** Fails while somebody has a port that `name`, which does not run now, is to listen on. */
export const refuseTaken = (name: string, ports: string): string => `${whoListens}for port in ${ports}; do
  taken=$(who_listens "$port" | tr '\\n' ' ')
  if [ -n "$taken" ]; then echo "${name} cannot start: port $port is taken by \${taken% }"; exit 1; fi
done`
