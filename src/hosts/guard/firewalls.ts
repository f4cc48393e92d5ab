import type { Guard } from './guard.ts'

export const ufw: Omit<Guard, 'seconds'> = {
  keep: ['/etc/ufw', '/etc/default/ufw'],
  back: `if grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf; then
  ufw reload || :
  # A reload that failed half-way has switched the firewall off for itself.
  cp -a ./etc/ufw/ufw.conf /etc/ufw/ufw.conf
  ufw --force enable
else
  ufw --force disable
fi`,
}

export const firewalld: Omit<Guard, 'seconds'> = {
  keep: ['/etc/firewalld'],
  // Its reload reads what is on the disk, and keeps connections that stand.
  back: 'if firewall-cmd --state >/dev/null 2>&1; then firewall-cmd --reload || firewall-cmd --complete-reload; fi',
}
