# Sent over a new login: confirms the run $run if this login came from outside, and after the change.
d=/var/lib/kapsule-egress/guard
[ "$(cat "$d/armed" 2>/dev/null)" = "$run" ] || { echo 'nothing waits for this run'; exit 3; }
ready=$(cat "$d/ready" 2>/dev/null) || { echo 'the change is not done yet'; exit 3; }

connection_of() { tr '\0' '\n' 2>/dev/null <"/proc/$1/environ" | sed -n 's/^SSH_CONNECTION=//p'; }
# From the line of proc(5), whose second word may hold blanks and brackets.
stat_of() { # pid, field
  read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
  field=$(($2 - 2))
  set -- ${stat##*) }
  eval "echo \${$field}"
}

# Up to the first process that sshd gave its variables to, and from there to sshd's own. sudo drops them on the way.
p=$$ seen=
while [ "$p" -gt 1 ]; do
  it=$(connection_of "$p")
  if [ -z "$it" ] && [ -n "$seen" ]; then break; fi
  if [ -n "$it" ]; then seen=$it; fi
  p=$(stat_of "$p" 4) || break
done
[ -n "$seen" ] || { echo 'this is no SSH login'; exit 4; }
set -- $seen
case $1 in 127.* | ::1 | "$3") echo 'this login came from the host itself'; exit 4 ;; esac
[ "$(stat_of "$p" 22)" -gt "$ready" ] || { echo 'this login is older than the change'; exit 4; }
mv "$d/armed" "$d/confirmed" && sync -- "$d"
