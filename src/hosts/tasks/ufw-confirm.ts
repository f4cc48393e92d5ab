import { quote } from '../shell.ts'

// Takes the change back unless somebody confirmed it. `now`: at once, for a change that failed half-way.
// Renaming `armed` decides between it and the confirmation: only one of them can win.
const revert = `umask 077
d=/var/lib/kapsule-egress/ufw
if [ "$1" != now ]; then
  sleep "$2"
  [ "$(cat "$d/armed" 2>/dev/null)" = "$1" ] || exit 0
fi
mv "$d/armed" "$d/reverting" 2>/dev/null || exit 0
cp -a "$d/saved/ufw/." /etc/ufw/
cp -a "$d/saved/default" /etc/default/ufw
if grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf; then
  ufw reload || :
  # A reload that failed half-way has switched the firewall off for itself.
  cp -a "$d/saved/ufw/." /etc/ufw/
  ufw --force enable
else
  ufw --force disable
fi
mv "$d/reverting" "$d/reverted"
`

/**
 * Leaves the undo on the host before the change: a detached process that puts the files back after the time.
 * An earlier one that is still armed comes first: its process ends by itself, or was lost with a reboot.
 */
export const arm = (seconds: number): string => `d=$KE_STATE/ufw
mkdir -p "$d"
n=0
while [ -e "$d/armed" ] && [ $n -lt ${Math.ceil(seconds) * 10 + 50} ]; do n=$((n + 1)); sleep 0.1; done
if [ -e "$d/armed" ]; then sh "$d/revert.sh" now; fi
rm -rf -- "$d/saved" "$d/confirmed" "$d/reverted" "$d/reverting"
mkdir -p "$d/saved/ufw"
cp -a /etc/ufw/. "$d/saved/ufw/"
cp -a /etc/default/ufw "$d/saved/default"
printf %s ${quote(revert)} >"$d/revert.sh"
sync "$d/revert.sh" "$d/saved/default"
echo "$KE_RUN" >"$d/armed"
if [ -d /run/systemd/system ]; then systemd-run --quiet --collect sh "$d/revert.sh" "$KE_RUN" ${seconds}
else setsid -f nohup sh "$d/revert.sh" "$KE_RUN" ${seconds} </dev/null >/dev/null 2>&1; fi`

/** Takes an armed change back at once; a change that was confirmed is restored like any other. */
export const revertOr = (restore: string): string =>
  `if [ -e "$KE_STATE/ufw/armed" ]; then sh "$KE_STATE/ufw/revert.sh" now; else
${restore}
fi`

/** For the new login: says yes if this very run is the one that waits. */
export const confirmation = (run: string): string => `d=/var/lib/kapsule-egress/ufw
[ "$(cat "$d/armed")" = ${quote(run)} ] && mv "$d/armed" "$d/confirmed"`
