import { quote } from '../shell.ts'
import type { Guard } from './guard.ts'

export const ufw: Omit<Guard, 'seconds'> = {
  keep: ['/etc/ufw', '/etc/default/ufw'],
  // Each ufw tries what the kernel can in a chain of its own, which one that was ended leaves behind.
  back: `for t in iptables ip6tables; do
  $t -S 2>/dev/null | sed -n 's/^-N \\(ufw6*-caps-test.*\\)/\\1/p' | while read -r it; do $t -F "$it"; $t -X "$it"; done
done
if grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf; then
  ufw reload || :
  # A reload that failed half-way has switched the firewall off for itself.
  cp -a ./etc/ufw/ufw.conf /etc/ufw/ufw.conf
  ufw --force enable
else
  ufw --force disable
fi`,
}

// Links that a boot follows, whatever has booted the host now.
const notEnabled = 'if [ ! -e enabled ] && [ -d /etc/systemd/system ]; then systemctl -q disable firewalld; fi'

// What ufw itself writes for LOGLEVEL=low, its default.
const often = '-m limit --limit 3/min --limit-burst 10'
const usualLogging = `### LOGGING ###
-A ufw-after-logging-input -j LOG --log-prefix "[UFW BLOCK] " ${often}
-A ufw-after-logging-forward -j LOG --log-prefix "[UFW BLOCK] " ${often}
-I ufw-logging-deny -m conntrack --ctstate INVALID -j RETURN ${often}
-A ufw-logging-deny -j LOG --log-prefix "[UFW BLOCK] " ${often}
-A ufw-logging-allow -j LOG --log-prefix "[UFW ALLOW] " ${often}
### END LOGGING ###`

/**
 * After a change of its files. One that fails half-way has switched the firewall off, and said so in its file. Where none
 * of it is in force yet, what a boot does is the same in a quarter of the time: ufw only adds the rules of its log.
 */
export const reloadUfw = `logs() {
  [ "$(sed -n '/^### LOGGING ###$/,/^### END LOGGING ###$/{s/ ufw6-/ ufw-/; p}' "/etc/ufw/$1")" = ${quote(usualLogging)} ]
}
loaded() { iptables -S ufw-user-input || ip6tables -S ufw6-user-input; } >/dev/null 2>&1
usual() { [ -x /lib/ufw/ufw-init ] && grep -qx LOGLEVEL=low /etc/ufw/ufw.conf && logs user.rules && logs user6.rules; }
if grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf; then
  if usual && ! loaded; then /lib/ufw/ufw-init start; else ufw reload; fi
fi`

export const firewalld: Omit<Guard, 'seconds'> = {
  keep: ['/etc/firewalld'],
  // Its reload reads what is on the disk, and keeps connections that stand.
  save: `if firewall-cmd --state >/dev/null 2>&1; then : >running; fi
if [ -d /etc/systemd/system ] && systemctl -q is-enabled firewalld 2>/dev/null; then : >enabled; fi`,
  back: `if [ -e running ]; then
  if firewall-cmd --state >/dev/null 2>&1; then firewall-cmd --reload || firewall-cmd --complete-reload
  elif [ -d /run/systemd/system ]; then systemctl start firewalld
  else firewalld; fi
elif [ -d /run/systemd/system ]; then systemctl stop firewalld
elif [ -s /run/firewalld.pid ]; then kill "$(cat /run/firewalld.pid)"; fi
${notEnabled}`,
  boot: notEnabled,
}
