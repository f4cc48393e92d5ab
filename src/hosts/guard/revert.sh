# Stays on the host while a change waits for its confirmation, and takes it back: files first, then what is in force.
# $1: `wait` (the timer), `now` (the change failed half-way), `boot` (the host went down before the confirmation).
# Renaming `armed` decides between it and the confirmation: only one of them can win. Every part may run twice.
umask 077
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
trap : HUP PIPE INT TERM
d=/var/lib/kapsule-egress/guard
cd "$d" || exit 0

# Read by the shell itself: it waits beside the change, and would take from it.
mine() { { read -r armed <armed; } 2>/dev/null && [ "$armed" = "$1" ]; }

# Ends the change with all it started: what hangs now must not go on after it was taken back.
end_tree() {
  kill -STOP "$1" 2>/dev/null || return 0
  for it in /proc/[0-9]*; do
    read -r stat 2>/dev/null <"$it/stat" || continue
    rest=${stat##*) }; rest=${rest#* }
    [ "${rest%% *}" != "$1" ] || end_tree "${it#/proc/}"
  done
  kill -KILL "$1"
}

# cp and not mv from what is kept: a power cut in here is followed by this again.
put_back() {
  while read -r p; do
    new=$p.kapsule-egress-new old=$p.kapsule-egress-old
    rm -rf -- "$new" || return 1
    if [ -e "$d/saved$p" ] || [ -L "$d/saved$p" ]; then
      mkdir -p -- "${p%/*}" && cp -a -- "$d/saved$p" "$new" || return 1
      if [ -d "$p" ] && [ ! -L "$p" ]; then
        rm -rf -- "$old" && mv -T -- "$p" "$old" || return 1
      fi
      mv -fT -- "$new" "$p" && rm -rf -- "$old" || return 1
    else
      rm -rf -- "$p" || return 1
    fi
  done <"$d/keep"
  sync
}

if [ "$1" = wait ]; then
  echo $$ >timer
  run=$2 seconds=$3 n=0
  read -r runner <runner
  while [ ! -e ready ] && [ $n -lt 900 ] && mine "$run" && kill -0 "$runner" 2>/dev/null; do
    n=$((n + 1)); sleep 0.2
  done
  if [ -e ready ]; then sleep "$seconds"; fi
  mine "$run" || exit 0
  if [ ! -e ready ]; then end_tree "$(cat changing)"; fi
fi
exec 8>lock
flock 8
if [ -e armed ]; then mv armed reverting 2>/dev/null; fi
[ -e reverting ] || exit 0
# A disk that is full or read-only now may not be so in a minute.
n=0
until put_back; do
  n=$((n + 1)); [ $n -le 60 ] || exit 1
  [ "$1" = wait ] || [ $n -le 5 ] || exit 1
  sleep 1
done
if [ "$1" = boot ]; then sh "$d/boot.sh" 8>&-; else sh "$d/back.sh" 8>&-; fi
sh "$d/unhook.sh"
mv reverting reverted
