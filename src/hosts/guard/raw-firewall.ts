import { firewalld } from './firewalls.ts'
import type { Guard } from './guard.ts'

/**
 * The packet filter whoever made its rules: tables of iptables by its own tool, since nft cannot read back all that it
 * lists of them, those of nft one by one, and the files by which a boot makes them. Not kept: counters, sets of ipset(8).
 * @see iptables-save(8), nft(8)
 */
export const rawFirewall: Omit<Guard, 'seconds'> = {
  keep: [
    ...['/etc/nftables.conf', '/etc/nftables', '/etc/iptables', '/etc/sysconfig/iptables', '/etc/sysconfig/ip6tables'],
    ...['/etc/sysconfig/nftables.conf', '/etc/ufw', '/etc/default/ufw', ...firewalld.keep],
  ],
  save: `${firewalld.save}
if command -v nft >/dev/null; then nft list tables 2>/dev/null | sed 's/^table //' >tables; else : >tables; fi
n=0
while read -r family table; do
  n=$((n + 1))
  case "$family $table" in ip\\ filter | ip\\ nat | ip\\ mangle | ip\\ raw | ip\\ security | ip6\\ filter | ip6\\ nat | ip6\\ mangle | ip6\\ raw | ip6\\ security)
    if "\${family}tables-nft-save" -t "$table" >table$n 2>said && ! grep -q incompatible table$n said; then continue; fi ;;
  esac
  { echo "add table $family $table"; echo "delete table $family $table"; nft list table "$family" "$table"; } >table$n
done <tables
for t in ip ip6; do
  if grep -q . /proc/net/\${t}_tables_names 2>/dev/null; then \${t}tables-legacy-save >legacy-$t; fi
done`,
  inForce: `if [ -d /run/systemd/system ]; then
  if systemctl -q is-active nftables; then systemctl reload nftables; fi
  if systemctl -q is-active netfilter-persistent; then systemctl restart netfilter-persistent; fi
fi`,
  // What firewalld has made from its files comes first: rules that it was only told at run time follow.
  back: `( ${firewalld.back}
) || :
if command -v nft >/dev/null; then
  nft list tables 2>/dev/null | sed 's/^table //' | while read -r it; do
    grep -qxF -- "$it" tables || nft delete table $it
  done
fi
n=0
while read -r family table; do
  n=$((n + 1))
  if head -n 1 table$n | grep -q '^add table '; then nft -f table$n; else "\${family}tables-nft-restore" <table$n; fi || :
done <tables
for t in ip ip6; do
  for it in $(cat /proc/net/\${t}_tables_names 2>/dev/null); do
    grep -qsx "[*]$it" legacy-$t && continue
    \${t}tables-legacy -t "$it" -S | sed -n 's/^-P \\([^ ]*\\) .*/\\1/p' | while read -r chain; do \${t}tables-legacy -t "$it" -P "$chain" ACCEPT; done
    \${t}tables-legacy -t "$it" -F; \${t}tables-legacy -t "$it" -X
  done
  if [ -s legacy-$t ]; then \${t}tables-legacy-restore <legacy-$t; fi
done`,
  boot: firewalld.boot!,
}
