/**
 * Prints a line for every socket that listens on a TCP port, with its inode, as sh. ss(8) asks the kernel for these
 * alone; its tables have every connection besides, and each reading goes through all there is room for.
 */
export const listeners = (port: number): string =>
  `if command -v ss >/dev/null; then ss -Hltne 'sport = :${port}'; else ${fromTables(port)}; fi 2>/dev/null`

const fromTables = (port: number): string =>
  `sed -n 's/^ *[0-9]*: [0-9A-F]*:${hex(port)} [0-9A-F]*:0000 0A [^ ]* [^ ]* [^ ]* *[0-9]* *[0-9]* \\([0-9]*\\) .*/ino:\\1 /p' /proc/net/tcp6 /proc/net/tcp`

const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, '0')
