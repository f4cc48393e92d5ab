# Runs on the host, as root, after step.sh and definitions of: $mark $run $count, do_N, back_N, notify_N, confirm_N,
# live_N (sets $live), again_N (sets $retries and $pause), $handlers (in order) and handler_H, $checks, health_C and within_C, look_again.
# Reports every step, stops at the first failure and takes back what it did.
#
# It outlives its connection: the whole script was read before it began, signals and a closed pipe do not end it.
# The traps are commands, not '', so that daemons it starts do not inherit ignored signals.
trap : HUP PIPE INT TERM
umask 022
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
KE_STATE=/var/lib/kapsule-egress
KE_RUN=$run
KE_STOPPED=$KE_STATE/stopped.$run
# What steps have made sure of, for handlers: until the next step that notifies one.
KE_SURE=$KE_STATE/sure.$run
# Commands, a line each, that handlers leave to be run beside what follows: they only wait for the kernel.
KE_LATER=$KE_STATE/later.$run
export KE_STATE KE_RUN KE_STOPPED KE_SURE KE_LATER
pending=$KE_STATE/pending
out=$KE_STATE/out.$run

report=/dev/null

# To whoever listens, and to the report that a new connection can read when this one has ended.
say() {
  printf '%s %s\n' "$mark" "$*" 2>/dev/null >>"$report" || :
  printf '%s %s\n' "$mark" "$*" 2>/dev/null || :
}
said() { tail -c 4000 "$out" | base64 -w0; }

# In a subshell, so that set -e ends the step and not the runner; without our lock and output, which daemons would keep.
# Call it, and what calls it, as a plain command: in `if` or before `||` the shell would ignore set -e inside.
in_step() { (
  set -e
  "$1"
) </dev/null >"$out" 2>&1 9>&-; }

insist() { # step: once, and again as often as it may; leaves the exit code in $rc
  retries=0 pause=0 tried=0
  "again_$1"
  while :; do
    in_step "do_$1"
    rc=$?
    if [ $rc = 0 ] || [ $tried -ge $retries ]; then return 0; fi
    tried=$((tried + 1))
    say again "$1" "$tried"
    sleep "$pause"
  done
}

note() { # handler: written down before the change it follows, so that an interrupted run still owes it
  [ ! -e "$KE_SURE" ] || rm -f -- "$KE_SURE"
  has_line "$1" "$pending" || { printf '%s\n' "$1" >>"$pending" && sync -- "$pending"; }
}

paid() { # handler; on a full disk nothing is, or what the others are owed would go with it
  has_line "$1" "$pending" || return 0
  rest=
  while IFS= read -r it; do [ "$it" = "$1" ] || rest="$rest$it
"; done <"$pending"
  # Nothing is left: a file is cut to that in one go.
  if [ -z "$rest" ]; then true 2>/dev/null >"$pending" || :; return 0; fi
  { printf %s "$rest" >"$pending.new"; } 2>/dev/null || return 0
  mv -f "$pending.new" "$pending"
}

run_handlers() { # stops at the first failure and leaves its number in $broke
  broke=
  for h in $handlers; do
    name_of "$h"
    has_line "$name" "$pending" || continue
    in_step "handler_$h"
    rc=$?
    if [ -s "$KE_LATER" ]; then
      while read -r it; do $it </dev/null >/dev/null 2>&1 9>&- & done <"$KE_LATER"
      : >"$KE_LATER"
    fi
    if [ $rc != 0 ]; then broke=h$h; wait; return 0; fi
    paid "$name"
    [ "$1" = quiet ] || say handled "$h"
  done
}

check_health() { # stops at the first that does not hold in its time and leaves its number in $broke
  broke=
  wait
  for c in $checks; do
    until=$(($(date +%s) + $(within_$c)))
    while :; do
      in_step "health_$c"
      if [ $? = 0 ]; then break; fi
      if [ "$(date +%s)" -ge $until ]; then broke=c$c; return 0; fi
      sleep 0.5
    done
    say healthy "$c"
  done
  paid 'health check'
}

give_back() {
  # Handlers that ran already follow the way back too.
  if [ "$live" = yes ]; then for i in $done; do "notify_$i"; done; fi
  for i in $done; do
    in_step "back_$i"
    if [ $? != 0 ]; then say stuck "$i" "$(said)"; fi
  done
  if [ "$live" != yes ]; then cp -- "$pending.before" "$pending"; return 0; fi
  has_line 'health check' "$pending.before" || paid 'health check'
  run_handlers quiet
  if [ -n "$broke" ]; then say stuck "$broke" "$(said)"; fi
}

tidy() {
  rm -f -- "$out" "$KE_STOPPED" "$KE_SURE" "$KE_LATER" "$pending.before"
  # The last 20 runs that changed a file.
  prune "$KE_STATE/backup"
  prune "$KE_STATE/reports"
}

prune() { # directory
  set -- "$1" "$1"/*
  [ $# -le 21 ] || ls -1t "$1" | tail -n +21 | while read -r old; do rm -rf -- "$1/$old"; done
}

[ -d "$KE_STATE/backup" ] && [ -d "$KE_STATE/reports" ] || install -d -m 700 "$KE_STATE" "$KE_STATE/backup" "$KE_STATE/reports"
exec 9>"$KE_STATE/lock"
flock -w 300 9 || { say busy; exit 1; }
report=$KE_STATE/reports/$run
if [ -e "$report" ]; then
  # Sent a second time, because the connection of the first ended before it began: that one has done it all.
  cat -- "$report"
  grep -q "^$mark end " "$report" || printf '%s cut\n' "$mark"
  exit
fi
as_before() { if [ -s "$pending" ]; then cp -- "$pending" "$pending.before"; else true >"$pending.before"; fi; }
# Without room for what is owed, what is kept and what is said, nothing is begun: the way back needs it too.
if ! printf '%65536s' ' ' 2>/dev/null >"$out" || ! { : >>"$pending" && as_before && : >>"$report"; }; then
  # The shell does not say why it could not.
  head -c 65536 /dev/zero >"$out"
  rm -f -- "$out" "$pending.before"
  echo "$KE_STATE takes no 64 kB: nothing was begun" >&2
  exit 1
fi
say begin
# Owed like a handler: a run that is killed before it was asked leaves it to the next.
if [ -n "$checks" ]; then note 'health check'
elif [ -s "$pending" ]; then paid 'health check'; fi
done=
live=no
i=0
while [ $i -lt "$count" ]; do
  i=$((i + 1))
  done="$i $done"
  live_$i
  rc=0
  "notify_$i" 2>"$out" || rc=$?
  if [ $rc = 0 ]; then insist "$i"; fi
  seconds=
  confirm_$i
  if [ $rc = 0 ] && [ -n "$seconds" ]; then
    guard_ready
    say confirm "$i"
    guard_confirmed "$seconds" >"$out"
    rc=$?
  fi
  if [ $rc != 0 ]; then
    say failed "$i" "$(said)" "$rc"
    give_back
    tidy
    say end failed
    exit 1
  fi
  say ok "$i"
done
live=yes
run_handlers loud
if [ -z "$broke" ]; then check_health; fi
if [ -n "$broke" ]; then
  say failed "$broke" "$(said)"
  give_back
  tidy
  say end failed
  exit 1
fi
tidy
say end ok
look_again 9>&-
wait
