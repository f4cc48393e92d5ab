/**
 * Prints a line for every socket that listens on a TCP port, with its inode, as sh. ss(8) asks the kernel for these
 * alone; its tables have every connection besides, and each reading goes through all there is room for.
 */
export const listeners = (port: number): string =>
  `if command -v ss >/dev/null; then ss -Hltne 'sport = :${port}'; else ${fromTables(port)}; fi 2>/dev/null`

const fromTables = (port: number): string =>
  `sed -n 's/^ *[0-9]*: [0-9A-F]*:${hex(port)} [0-9A-F]*:0000 0A [^ ]* [^ ]* [^ ]* *[0-9]* *[0-9]* \\([0-9]*\\) .*/ino:\\1 /p' /proc/net/tcp6 /proc/net/tcp`

const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, '0')

/**
 * Whether somebody listens on a TCP port, as sh that needs no process: the kernel lists those that listen first, so it is
 * soon found. To find that there is none it goes through all its connections.
 */
export const isHeard = (port: number): string => `for table in /proc/net/tcp6 /proc/net/tcp; do
  while read -r _ at _ state _; do
    case $state$at in 0A*:${hex(port)}) return 0 ;; 0A* | st*) ;; *) break ;; esac
  done <"$table"
done 2>/dev/null
return 1`

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
