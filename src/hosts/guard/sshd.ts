import { quote } from '../shell.ts'
import type { Guard } from './guard.ts'

/**
 * A candidate is read as sshd would read it. A drop-in comes first and its values count; a Match in it must not
 * reach into the rest. Other files (keys, moduli) have no check here: `sshd -t` follows when they are in place.
 * @see sshd_config(5)
 */
export const sshdCheck = (path: string): string | undefined => {
  const main = '/etc/ssh/sshd_config'
  const whole = path === main ? 'cat {}' : `cat {} && echo 'Match all' && cat ${quote(main)}`
  if (path !== main && !/^\/etc\/ssh\/sshd_config\.d\/[^/]+\.conf$/.test(path)) return undefined
  return `{ mkdir -p /run/sshd && t=$(mktemp) && { ${whole}; } >"$t" && sshd -t -f "$t" && rm -f -- "$t"; }`
}

const pid = '"$(cat /run/sshd.pid)"'
// Not `kill -0`, which finds also what has ended and was not waited for.
const lives = `[ -e /proc/${pid}/exe ]`

// With systemd's socket, the port is the socket's. Without systemd, a HUP makes sshd start anew as the same process.
const reload = `mkdir -p /run/sshd
sshd -t
if [ -d /run/systemd/system ]; then
  if systemctl -q is-active ssh.socket; then systemctl daemon-reload; systemctl restart ssh.socket; fi
  for it in ssh sshd; do
    if systemctl -q is-active $it; then systemctl reload-or-restart $it; fi
  done
elif ${lives}; then
  kill -HUP ${pid}
  sleep 0.3
  ${lives}
fi`

export const sshd: Omit<Guard, 'seconds'> = {
  keep: ['/etc/ssh/sshd_config', '/etc/ssh/sshd_config.d', '/etc/default/ssh'],
  save: `if [ -d /run/systemd/system ]; then
  for it in ssh.socket ssh sshd; do if systemctl -q is-active $it; then echo $it >>units; fi; done
elif ${lives}; then echo ssh >>units; fi`,
  inForce: reload,
  // What ran before runs again, also when the new configuration has ended it.
  back: `( set -e
${reload}
)
[ ! -e units ] || while read -r it; do
  if [ -d /run/systemd/system ]; then systemctl start "$it"
  elif ! ${lives}; then $(command -v sshd); fi
done <units`,
}
