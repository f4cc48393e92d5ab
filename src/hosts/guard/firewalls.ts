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

const notEnabled = 'if [ ! -e enabled ] && [ -d /etc/systemd/system ]; then systemctl -q disable firewalld; fi'

/** After a change of its files. One that fails half-way has switched the firewall off, and said so in its file. */
export const reloadUfw = "if grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf; then ufw reload; fi"

export const firewalld: Omit<Guard, 'seconds'> = {
  keep: ['/etc/firewalld'],
  // Its reload reads what is on the disk, and keeps connections that stand.
  save: `if firewall-cmd --state >/dev/null 2>&1; then : >running; fi
if [ -d /run/systemd/system ] && systemctl -q is-enabled firewalld 2>/dev/null; then : >enabled; fi`,
  back: `if [ -e running ]; then
  if firewall-cmd --state >/dev/null 2>&1; then firewall-cmd --reload || firewall-cmd --complete-reload
  elif [ -d /run/systemd/system ]; then systemctl start firewalld
  else firewalld; fi
elif [ -d /run/systemd/system ]; then systemctl stop firewalld
elif [ -s /run/firewalld.pid ]; then kill "$(cat /run/firewalld.pid)"; fi
${notEnabled}`,
  boot: notEnabled,
}
