import { quote } from './shell.ts'

// `squid -k parse` ends with 0 on mistakes that cut people off or leak, so what it says counts too.
const bad = 'ERROR|FATAL|Bungled|expecting|empty ACL|ACL not found|unrecognized'

const parse = (
  file: string,
) => `said=$(squid -k parse -f ${file} 2>&1) || { printf '%s\\n' "$said" | grep -vi 'processing:'; exit 1; }
if printf '%s\\n' "$said" | grep -v 'Processing:' | grep -E ${quote(bad)}; then exit 1; fi`

/** For a whole squid.conf: `{}` is the candidate. In a subshell, so that its exits are only its own. */
export const checkSquid = `( ${parse('{}')} )`

/**
 * Brings the files in force without ending tunnels. A bare HUP with a bad file kills Squid, so it is parsed again;
 * while it reads, its port is closed. Down although nobody stopped it: started, and failed if it was we who broke it.
 */
export const reloadSquid = (port: number): string => {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return `listens() { grep -q ':${hex} [0-9A-F]*:0000 0A ' /proc/net/tcp /proc/net/tcp6 2>/dev/null; }
await_port() { n=0; until listens; do n=$((n + 1)); [ $n -le 100 ] || return 1; sleep 0.1; done; }
runs() { squid -k check >/dev/null 2>&1; }
start() { if [ -d /run/systemd/system ]; then systemctl start squid; else service squid start; fi; }
if grep -qx squid "$KE_STOPPED" 2>/dev/null; then exit 0; fi
( ${parse('/etc/squid/squid.conf')} )
if ! runs; then start; await_port; exit; fi
await_port
squid -k reconfigure
n=0
while runs && [ $n -lt 5 ]; do n=$((n + 1)); sleep 0.1; done
if ! runs || ! await_port; then
  tail -n 5 /var/log/squid/cache.log
  echo 'squid does not run with the new configuration'
  exit 1
fi`
}
