import type { Task } from './tasks/all.ts'

/** What Squid reads: the addresses a host has on its links, one a line. */
export const ownAddresses = '/etc/squid/egress/own.txt'

// Those of `lo` are no way in from outside; the first line is one, for Squid takes an empty list for a mistake.
const list = `{ echo 127.0.0.1; ip -o addr show scope global | awk '$2 != "lo" { sub("/.*", "", $4); print $4 }'; } | sort -u`

/** Keeps the list true. Whoever gave the host another address since sees it in a check. */
export const ownAddressesTask = (notify: string[]): Task => ({
  ...{ task: 'command', name: 'own addresses', notify },
  unless: `[ "$(${list})" = "$(cat ${ownAddresses} 2>/dev/null)" ]`,
  run: `${list} >${ownAddresses}.new
mv -f ${ownAddresses}.new ${ownAddresses}`,
  undo: `grep -q ${ownAddresses} /etc/squid/squid.conf 2>/dev/null || rm -f ${ownAddresses}`,
})
