# What changes call, in the runner and in the shell of a change that has a time limit. Needs $KE_STATE and $KE_RUN.

has_line() { # line file
  [ -s "$2" ] || return 1
  while IFS= read -r it; do [ "$it" != "$1" ] || return 0; done <"$2"
  return 1
}

nap() { # how often it has been called: whoever looks again and again takes from what it waits for
  if [ "$1" -le 5 ]; then sleep 0.02; elif [ "$1" -le 20 ]; then sleep 0.05; else sleep 0.2; fi
}

# How often it has been called: without a process, whether sockets were opened or closed since; yes every fifth time.
stirs() {
  before=$stirred stirred=
  for it in /proc/net/sockstat /proc/net/sockstat6; do
    while read -r it _ many _; do case $it in TCP*) stirred="$stirred $many"; break ;; esac; done <"$it"
  done 2>/dev/null
  [ "$stirred" != "$before" ] || [ $(($1 % 5)) = 0 ]
}

keep_backup() {
  [ -f "$1" ] || return 0
  kept=$KE_STATE/backup/$KE_RUN$1
  [ -d "${kept%/*}" ] || mkdir -p "${kept%/*}"
  [ -e "$kept" ] || cp -p -- "$1" "$kept"
}

find_backup() { # path sha256
  for kept in "$KE_STATE"/backup/*"$1"; do
    if [ "$(sha256sum <"$kept" | cut -c1-64)" = "$2" ]; then cat -- "$kept"; return 0; fi
  done
  echo "no backup of $1 has the hash $2"; return 1
}

put_in_place() { # candidate target
  if [ -e /sys/fs/selinux/enforce ] && [ -e "$2" ]; then chcon --reference="$2" -- "$1" 2>/dev/null || :; fi
  sync -- "$1"
  mv -fT -- "$1" "$2"
  sync -- "${2%/*}/"
}

make_parents() { # path: what is made on the way is written down, so that it can go again
  parent=${1%/*}
  if [ -z "$parent" ] || [ -d "$parent" ]; then return 0; fi
  while [ -n "$parent" ] && [ ! -e "$parent" ]; do
    printf '%s\n' "$parent" >>"$KE_STATE/made"
    parent=${parent%/*}
  done
  sync -- "$KE_STATE/made"
  mkdir -p -- "${1%/*}"
}

drop_parents() { # path: directories that we made, while nothing else is in them
  parent=${1%/*}
  while [ -n "$parent" ] && grep -qxF -- "$parent" "$KE_STATE/made" 2>/dev/null; do
    if [ -e "$parent" ]; then rmdir -- "$parent" 2>/dev/null || return 0; fi
    grep -vxF -- "$parent" "$KE_STATE/made" >"$KE_STATE/made.new" || :
    mv -f -- "$KE_STATE/made.new" "$KE_STATE/made"
    parent=${parent%/*}
  done
}

end_group() { # why: timeout lets go when its own child has ended; what it started gets five seconds, too
  echo "$1"
  group=$(cat "$KE_STATE/group.$KE_RUN")
  n=0
  while kill -s 0 -- "-$group" 2>/dev/null && [ $n -lt 50 ]; do n=$((n + 1)); sleep 0.1; done
  kill -s KILL -- "-$group" 2>/dev/null || :
}
