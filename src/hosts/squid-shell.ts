import { quote } from './shell.ts'

// `squid -k parse` ends with 0 on mistakes that cut people off or leak, so what it says counts too.
const bad = 'ERROR|FATAL|Bungled|expecting|empty ACL|ACL not found|unrecognized'

const parse = (
  file: string,
) => `said=$(squid -k parse -f ${file} 2>&1) || { printf '%s\\n' "$said" | grep -vi 'processing:'; exit 1; }
said=$(printf '%s\\n' "$said" | sed -nE ${quote(`/Processing:/d; /${bad}/p`)})
if [ -n "$said" ]; then printf '%s\\n' "$said"; exit 1; fi`

/** For a whole squid.conf: `{}` is the candidate. In a subshell, so that its exits are only its own. */
export const checkSquid = `( ${parse('{}')}
echo squid parsed >>"$KE_SURE" )`

/**
 * While Squid reads a new squid.conf its ports are closed, and who connects is refused. So SYNs are dropped meanwhile:
 * clients repeat them, after a second at first. The kernel ends the hold by itself, whatever becomes of us.
 */
const hold = (ports: number[]): string => `hold() { command -v nft >/dev/null && nft -f - <<'NFT' || :
table inet kapsule_egress_hold
delete table inet kapsule_egress_hold
table inet kapsule_egress_hold {
  set ports { type inet_service; flags timeout; elements = { ${ports.map(it => `${it} timeout ${holdSeconds}s`).join(', ')} }; }
  chain input { type filter hook input priority -300; tcp dport @ports tcp flags & (syn | ack) == syn drop; }
}
NFT
}
let_go() { nft delete table inet kapsule_egress_hold 2>/dev/null || :; }`

const holdSeconds = 5

/**
 * Brings the files in force without ending tunnels or refusing anybody. A HUP with a bad file kills Squid, so they are
 * parsed before. Down although nobody stopped it: started, and failed if it was we who broke it.
 */
export const reloadSquid = (ports: number[]): string => {
  const hex = ports.at(-1)!.toString(16).toUpperCase().padStart(4, '0')
  const listening = `grep -h ':${hex} [0-9A-F]*:0000 0A ' /proc/net/tcp /proc/net/tcp6 2>/dev/null`
  return `${hold(ports)}
listens() { [ -n "$(sockets)" ]; }
sockets() { ${listening} | while read -r _ _ _ _ _ _ _ _ _ inode _; do echo "$inode"; done; }
await_port() { n=0; until listens; do n=$((n + 1)); [ $n -le 500 ] || return 1; sleep 0.02; done; }
runs() {
  pid=
  if read -r pid 2>/dev/null </run/squid.pid; then read -r it 2>/dev/null <"/proc/$pid/comm" && [ "$it" = squid ]
  else squid -k check >/dev/null 2>&1; fi
}
start() { if [ -d /run/systemd/system ]; then systemctl start squid; else service squid start; fi; }
sure() { grep -qx "squid $1" "$KE_SURE" 2>/dev/null; }
if grep -qx squid "$KE_STOPPED" 2>/dev/null; then exit 0; fi
if sure started; then await_port; exit; fi
sure parsed || ( ${parse('/etc/squid/squid.conf')} )
if ! runs; then start; await_port; exit; fi
await_port
had=$(sockets)
trap let_go EXIT
hold
# Who has connected already is taken before the port closes.
sleep 0.05
if [ -n "$pid" ]; then kill -HUP "$pid"; else squid -k reconfigure; fi
n=0
while runs && [ $n -lt 500 ]; do
  now=$(sockets)
  # Another socket belongs to the new configuration. Workers keep theirs: they get half a second.
  if [ -n "$now" ] && { [ "$now" != "$had" ] || [ $n -ge 25 ]; }; then break; fi
  n=$((n + 1)); sleep 0.02
done
if ! runs || ! listens; then
  tail -n 5 /var/log/squid/cache.log
  echo 'squid does not run with the new configuration'
  exit 1
fi`
}
