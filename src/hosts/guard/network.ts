import type { Guard } from './guard.ts'

const up = `if command -v netplan >/dev/null && ls /etc/netplan/*.yaml >/dev/null 2>&1; then netplan apply
elif [ -d /run/systemd/system ] && systemctl -q is-active systemd-networkd; then
  networkctl reload
  for it in $(ls /sys/class/net | grep -vx lo); do networkctl reconfigure "$it" || :; done
elif [ -d /run/systemd/system ] && systemctl -q is-active NetworkManager; then
  nmcli connection reload
  nmcli -g UUID connection show --active | while read -r it; do nmcli connection up "$it"; done
elif command -v ifreload >/dev/null; then ifreload -a
elif command -v ifup >/dev/null && [ -e /etc/network/interfaces ]; then ifup -a; fi`

/**
 * Files of every tool that manages interfaces, and what the kernel has: links that are up, addresses, rules and routes.
 * Taking back follows the kernel's picture, whatever tool is there. Rules go as text: restoring them adds all twice.
 * @see ip-address(8), ip-route(8): `save` and `restore`
 */
export const network: Omit<Guard, 'seconds'> = {
  keep: [
    '/etc/netplan',
    '/etc/network',
    '/etc/systemd/network',
    '/etc/NetworkManager/system-connections',
    '/etc/iproute2',
  ],
  save: `for n in 4 6; do
  ip -$n address save >address$n
  ip -$n route save table main >route$n
  ip -$n rule show >rules$n
done
ip -o address show | while read -r _ dev family address _; do echo "$dev $family $address"; done >addresses
ip -o link show up | while read -r _ dev _; do dev=\${dev%%:*}; echo "\${dev%%@*}"; done >up`,
  inForce: up,
  back: `( ${up}
) || :
while read -r it; do ip link set "$it" up; done <up
ip -o address show | while read -r _ dev family address _; do
  grep -qxF "$dev $family $address" addresses || ip address del "$address" dev "$dev"
done
for n in 4 6; do
  ip address restore <address$n
  ip -$n rule show | while read -r rule; do
    grep -qxF -- "$rule" rules$n || ip -$n rule del pref "\${rule%%:*}" \${rule#*:}
  done
  ip -$n rule show >now$n
  while read -r rule; do
    grep -qxF -- "$rule" now$n || ip -$n rule add pref "\${rule%%:*}" \${rule#*:}
  done <rules$n
  ip -$n route flush table main
  ip -$n route restore <route$n
done 2>/dev/null`,
  boot: 'if command -v netplan >/dev/null; then netplan generate; fi',
}
