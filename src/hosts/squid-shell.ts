import { refuseTaken, whoListens } from './listeners.ts'
import { quote } from './shell.ts'

// `squid -k parse` ends with 0 on mistakes that cut people off or leak, so what it says counts too.
const bad = ['ERROR', 'FATAL', 'Bungled', 'expecting', 'empty ACL', 'ACL not found', 'unrecognized']

const parse = (
  file: string,
) => `said=$(squid -k parse -f ${file} 2>&1) || { printf '%s\\n' "$said" | grep -vi 'processing:'; exit 1; }
case $said in ${bad.map(it => `*${quote(it)}*`).join(' | ')})
  said=$(printf '%s\\n' "$said" | sed -nE ${quote(`/Processing:/d; /${bad.join('|')}/p`)})
  if [ -n "$said" ]; then printf '%s\\n' "$said"; exit 1; fi ;;
esac`

/** For a whole squid.conf: `{}` is the candidate. In a subshell, so that its exits are only its own. */
export const checkSquid = `( ${parse('{}')}
echo squid parsed >>"$KE_SURE" )`

/**
 * As Debian's init script starts it, which parses squid.conf six times to find what we never have: directories of a
 * cache. What the operator set in /etc/default/squid is heard.
 */
export const startSquid = `if command -v start-stop-daemon >/dev/null && [ -f /etc/init.d/squid ]; then (
    SQUID_ARGS='-YC -f /etc/squid/squid.conf'
    if [ -f /etc/default/squid ]; then . /etc/default/squid; fi
    [ -d /run/squid ] || install -d -o proxy -g proxy /run/squid
    umask 027; ulimit -n 65535 || :; cd /run/squid
    start-stop-daemon --quiet --oknodo --start --pidfile /run/squid.pid --exec /usr/sbin/squid -- $SQUID_ARGS </dev/null
  ); else service squid start; fi`

const holdSeconds = 5

/**
 * While Squid reads a new squid.conf its ports are closed, and who connects is refused. So SYNs are dropped meanwhile:
 * clients repeat them, after a second at first. The kernel ends the hold by itself, whatever becomes of us. It takes
 * 20 ms to forget a rule, so the runner lets go of it while it works on.
 */
const hold = `hold() {
  held=
  for it in $ports; do held="$held\${held:+, }$it timeout ${holdSeconds}s"; done
  nft -f - <<NFT
create table inet kapsule_egress_hold
table inet kapsule_egress_hold {
  set ports { type inet_service; flags timeout; elements = { $held }; }
  chain input { type filter hook input priority -300; tcp dport @ports tcp flags & (syn | ack) == syn drop; }
}
NFT
} 2>/dev/null
let_go() { echo 'nft delete table inet kapsule_egress_hold' >>"$KE_LATER"; }
hold_on() { hold || { nft delete table inet kapsule_egress_hold; hold; } || :; }
# Leaves the inodes of all that listen in $had. One half-way in may come to wait between two looks, so there has to be
# none of either twice.
drained() {
  for it in 1 2; do
    had= still=
    while read -r state waiting _ at it; do
      if [ "$state $waiting" != 'LISTEN 0' ]; then still=yes; fi
      case $state$it in LISTEN*ino:*) it=\${it#*ino:}; had="$had \${it%% *}" ;; esac
    done <<SOCKETS
$(ss -Htne state listening state syn-recv "$sports" 2>/dev/null)
SOCKETS
    [ -z "$still" ] || return 1
  done
}
# Who has connected already is taken before the port closes.
settle() {
  n=0
  if [ -z "$ss" ]; then sleep 0.05; listens || :; had=$now; return 0; fi
  until drained || [ $n -ge 10 ]; do n=$((n + 1)); sleep 0.01; done
}`

/**
 * Brings the files in force without ending tunnels or refusing anybody. A HUP with a bad file kills Squid, so they are
 * parsed before. Down although nobody stopped it: started, and failed if it was we who broke it. Which ports are to
 * listen is in squid.conf as it is then: a run that is taken back has other ones than the run.
 */
export const reloadSquid = (): string => `ports=
while read -r word it _; do
  case $word in http_port | https_port) ports="$ports \${it##*:}" ;; esac
done </etc/squid/squid.conf
ports=\${ports:-3128}
sports=
for it in $ports; do sports="$sports\${sports:+ or }sport = :$it"; done
ss=
if command -v ss >/dev/null; then ss=yes; fi
${hold}
# Leaves the inodes of its sockets in $now, and is true when every port has one.
listens() {
  now= seen=
  if [ -n "$ss" ]; then all=$(ss -Hltne "$sports" 2>/dev/null) || :
  else all=$(for it in $ports; do
    sed -n "s/^ *[0-9]*: [0-9A-F]*:$(printf %04X "$it") [0-9A-F]*:0000 0A [^ ]* [^ ]* [^ ]* *[0-9]* *[0-9]* \\([0-9]*\\) .*/LISTEN 0 0 *:$it * ino:\\1 /p" /proc/net/tcp6 /proc/net/tcp
  done 2>/dev/null) || :; fi
  while read -r _ _ _ at it; do
    case $it in *ino:*) it=\${it#*ino:}; now="$now \${it%% *}"; seen="$seen \${at##*:} " ;; esac
  done <<SOCKETS
$all
SOCKETS
  for it in $ports; do case $seen in *" $it "*) ;; *) return 1 ;; esac; done
}
await_port() { n=0; until stirs $n && listens; do n=$((n + 1)); [ $n -le 70 ] || return 1; nap $n; done; }
# One that starts takes no signal yet. One that has run for a while may have other ports than it will.
await_some() {
  n=0
  until listens || [ -n "$now" ] || [ $(($(date +%s) - $(stat -c %Y /run/squid.pid 2>/dev/null || date +%s))) -gt 15 ]; do
    n=$((n + 1)); [ $n -le 70 ] || return 1; nap $n
  done
}
runs() {
  pid=
  if read -r pid 2>/dev/null </run/squid.pid; then read -r it 2>/dev/null <"/proc/$pid/comm" && [ "$it" = squid ]
  else squid -k check >/dev/null 2>&1; fi
}
# By the host's own script: a configuration of before may need what that prepares.
start() {
  ${refuseTaken('squid', '$ports')}
  if [ -d /run/systemd/system ]; then systemctl start squid; else service squid start; fi
}
${whoListens}# A port that somebody else listens on looks like ours.
ours() {
  # As a rule all that were found are its own, which one process can tell.
  if runs && [ -n "$pid" ]; then
    kids= held= sought= strange=
    read -r kids 2>/dev/null <"/proc/$pid/task/$pid/children" || :
    for it in $now; do sought="$sought -o -lname socket:\\[$it\\]"; done
    set --
    for it in $pid $kids; do set -- "$@" "/proc/$it/fd"; done
    held=$(set -f; find "$@" \\( -false$sought \\) -printf '%l ' 2>/dev/null) || :
    for it in $now; do case $held in *"[$it]"*) ;; *) strange=yes ;; esac; done
    if [ -z "$strange" ]; then return 0; fi
  fi
  for port in $ports; do
    others=$(who_listens "$port" | grep -v '^squid \\|cannot be named' | tr '\\n' ' ')
    [ -z "$others" ] || { echo "port $port is taken by \${others% }, which is not squid"; return 1; }
  done
}
if has_line squid "$KE_STOPPED"; then exit 0; fi
if has_line 'squid started' "$KE_SURE"; then await_port && ours; exit; fi
has_line 'squid parsed' "$KE_SURE" || ( ${parse('/etc/squid/squid.conf')} )
if ! runs; then start; await_port && ours; exit; fi
had=
if command -v nft >/dev/null; then
  trap let_go EXIT
  hold_on
  settle
  if [ -z "$had" ]; then await_some; hold_on; settle; fi
else await_some; had=$now; fi
if [ -n "$pid" ]; then kill -HUP "$pid"; else squid -k reconfigure; fi
n=0 stirred=
# It takes longer than this to read its files.
sleep 0.02
listening=
while runs && [ $n -lt 70 ]; do
  if stirs $n; then
    listening=
    if listens; then listening=yes; fi
    # Another socket belongs to the new configuration. Workers keep theirs: they get a second.
    for it in $now; do case " $had " in *" $it "*) ;; *) [ -z "$listening" ] || break 2 ;; esac; done
  fi
  if [ -n "$listening" ] && [ $n -ge 20 ]; then break; fi
  n=$((n + 1)); nap $n
done
if ! runs || [ -z "$listening" ]; then
  tail -n 5 /var/log/squid/cache.log
  echo 'squid does not run with the new configuration'
  exit 1
fi
ours`
