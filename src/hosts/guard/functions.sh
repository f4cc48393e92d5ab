# Part of the runner where a bundle may cut us off: arms the undo on the host, and waits for a new login.
guard=$KE_STATE/guard
hook=kapsule-egress-revert

# id, seconds, paths to keep (a line each), and sh: what else to keep, how to bring it in force again, and at a boot.
# An earlier one that is still armed comes first: its process ends by itself, or was lost with a reboot.
guard_arm() {
  mkdir -p "$guard"
  chmod 700 "$guard"
  printf '%s\n' "$1" >"$guard/arming"
  # The same change, tried once more.
  if [ "$(cat "$guard/armed" 2>/dev/null)" = "$1" ]; then sh -c 'echo $PPID' >"$guard/changing"; return 0; fi
  n=0
  while [ -e "$guard/armed" ] && grep -qs guard/revert.sh "/proc/$(cat "$guard/timer")/cmdline" && [ $n -lt 3000 ]; do
    n=$((n + 1)); sleep 0.1
  done
  if [ -e "$guard/armed" ] || [ -e "$guard/reverting" ]; then sh "$guard/revert.sh" now; fi
  [ ! -e "$guard/armed" ] && [ ! -e "$guard/reverting" ] || { echo 'an earlier change could not be taken back'; exit 1; }
  (cd "$guard" && rm -rf -- saved confirmed reverted ready changing keep timer)
  mkdir "$guard/saved"
  { [ -z "$3" ] || printf '%s\n' "$3"; } >"$guard/keep"
  while read -r p; do
    if [ -e "$p" ] || [ -L "$p" ]; then
      mkdir -p -- "$guard/saved${p%/*}"
      cp -a -- "$p" "$guard/saved$p"
    fi
  done <"$guard/keep"
  (cd "$guard/saved" && eval "$4")
  { echo "cd $guard/saved"; printf '%s\n' "$5"; } >"$guard/back.sh"
  { echo "cd $guard/saved"; printf '%s\n' "$6"; } >"$guard/boot.sh"
  guard_script >"$guard/revert.sh"
  guard_unhook >"$guard/unhook.sh"
  echo "$$" >"$guard/runner"
  sh -c 'echo $PPID' >"$guard/changing"
  guard_hook
  sync
  printf '%s\n' "$1" >"$guard/armed.new"
  sync -- "$guard/armed.new"
  mv -f "$guard/armed.new" "$guard/armed"
  rm -f -- "$guard/arming"
  sync -- "$guard"
  if [ -d /run/systemd/system ]; then
    systemd-run --quiet --collect --unit="$hook-$1" sh "$guard/revert.sh" wait "$1" "$2"
  else
    setsid -f nohup sh "$guard/revert.sh" wait "$1" "$2" </dev/null >/dev/null 2>&1
  fi
  n=0
  while [ ! -s "$guard/timer" ]; do n=$((n + 1)); [ $n -le 70 ] || { echo 'the undo could not be armed'; exit 1; }; nap $n; done
}

# A boot inside the window finds the new files on the disk: this puts the old ones back before anything reads them.
guard_hook() {
  if [ -d /etc/systemd/system ]; then
    mkdir -p /etc/systemd/system/sysinit.target.wants
    cat >"/etc/systemd/system/$hook.service" <<'UNIT'
[Unit]
Description=Take back a change that could cut off SSH and that nobody confirmed before the host went down
DefaultDependencies=no
RequiresMountsFor=/etc /var/lib/kapsule-egress
After=local-fs.target
Before=sysinit.target network-pre.target ufw.service firewalld.service nftables.service ssh.service ssh.socket sshd.service
Before=networking.service systemd-networkd.service NetworkManager.service systemd-sysctl.service
ConditionPathExists=|/var/lib/kapsule-egress/guard/armed
ConditionPathExists=|/var/lib/kapsule-egress/guard/reverting

[Service]
Type=oneshot
ExecStart=/bin/sh /var/lib/kapsule-egress/guard/revert.sh boot

[Install]
WantedBy=sysinit.target
UNIT
    ln -sfn "../$hook.service" "/etc/systemd/system/sysinit.target.wants/$hook.service"
  fi
  if [ -d /etc/rcS.d ]; then
    cat >"/etc/init.d/$hook" <<'INIT'
#!/bin/sh
### BEGIN INIT INFO
# Provides:          kapsule-egress-revert
# Required-Start:    $local_fs
# Required-Stop:
# X-Start-Before:    networking ufw procps
# Default-Start:     S
# Default-Stop:
# Short-Description: take back a change that nobody confirmed before the host went down
### END INIT INFO
[ "$1" != start ] || exec sh /var/lib/kapsule-egress/guard/revert.sh boot
INIT
    chmod 755 "/etc/init.d/$hook"
    ln -sfn "../init.d/$hook" "/etc/rcS.d/S10$hook"
  fi
}

guard_unhook() {
  echo "rm -f /etc/systemd/system/sysinit.target.wants/$hook.service /etc/systemd/system/$hook.service"
  echo "rm -f /etc/rcS.d/S10$hook /etc/init.d/$hook"
}

# From here on a login proves something. The time is that of a process, in ticks since the boot, as in proc(5).
guard_ready() {
  cut -d' ' -f22 /proc/self/stat >"$guard/ready.new"
  mv -f "$guard/ready.new" "$guard/ready"
  # A login in the same tick would not be newer, and be asked for a second time.
  sleep 0.02
}

guard_confirmed() { # seconds
  n=0
  while [ -e "$guard/armed" ] && [ $n -lt $((($1 + 60) * 5 + 20)) ]; do n=$((n + 1)); nap $n; done
  if [ -e "$guard/confirmed" ]; then sh "$guard/unhook.sh"; return 0; fi
  n=0
  while [ -e "$guard/reverting" ] && [ $n -lt 1200 ]; do n=$((n + 1)); sleep 0.1; done
  echo 'no new login confirmed the change, so the host took it back'
  return 1
}

# Takes an armed change back at once, and one that was confirmed from what was kept before it, if that is still there:
# rules in their order, files to the byte. What was not kept (a command's undo) is restored like any other change.
guard_take_back() { # id, restore function
  # It was not armed, so it was not begun.
  if [ "$(cat "$guard/arming" 2>/dev/null)" = "$1" ]; then
    rm -f -- "$guard/arming"
    [ ! -e "$guard/unhook.sh" ] || sh "$guard/unhook.sh"
    return
  fi
  if [ -e "$guard/armed" ] || [ -e "$guard/reverting" ]; then sh "$guard/revert.sh" now; return; fi
  if [ "$(cat "$guard/reverted" 2>/dev/null)" = "$1" ]; then return 0; fi
  if [ "$(cat "$guard/confirmed" 2>/dev/null)" = "$1" ] && mv "$guard/confirmed" "$guard/reverting"; then
    sh "$guard/revert.sh" now
  fi
  "$2"
}
