import { quote } from '../shell.ts'

export type Manager = 'apt' | 'dnf' | 'zypper'

/**
 * How a manager is spoken to, as sh, for the package $n. `look` prints want/status/version lines, and for a hold what
 * it locks. `words` defines install_it SPEC, remove_it, hold_it, unhold_it: they wait for the manager's lock.
 */
export type Speech = {
  command: string
  look: string
  lookHold: string
  words(lockSeconds: number): string
  /** What install_it takes for a version; a `*` at its end stands for any rest. */
  spec(name: string, version?: string): string
}

// A file, not $(...): a service that a package starts would keep the pipe open.
const waiting = (seconds: number, locked: string) => `t=$(mktemp)
ask() {
  waited=0
  until "$@" >"$t" 2>&1; do
    ${locked} || return 1
    waited=$((waited + 1))
    if [ $waited -gt ${seconds} ]; then echo "another process kept the lock for ${seconds} s" >>"$t"; return 1; fi
    sleep 1
  done
}
or_say() { "$@" || { cat "$t"; rm -f -- "$t"; exit 1; }; }`

const rpmLook = `rpm -q --qf 'status installed\\nversion %{VERSION}-%{RELEASE}\\n' -- "$n" 2>/dev/null || :`

/**
 * All names that are the same everywhere with one process, from dpkg's own file in a third of the time that dpkg-query
 * takes. Version is the last of at most 14 fields before the first of many lines. While dpkg works it keeps changes beside
 * that file: then nothing is said here, and each is asked for. @see dpkg(1), FILES
 */
export const lookAhead = (names: string[]): string =>
  names.length === 0
    ? 'ke_dpkg='
    : `ke_dpkg=
for it in /var/lib/dpkg/updates/[0-9]*; do :; done
if [ -f /var/lib/dpkg/status ] && [ ! -e "$it" ]; then
  n=
  while IFS= read -r it; do
    case $it in
    'Package: '*) n=\${it#* } want= ;;
    'Status: '*) it=\${it#* } want=\${it%% *} status=\${it##* } ;;
    'Version: '*) if [ -n "$n" ] && [ -n "$want" ]; then ke_dpkg=$ke_dpkg$ke_nl"$n|$want|$status|\${it#* }"; fi; n= ;;
    esac
  done <<KE_DPKG
$(grep -A 14 -xE ${quote(`Package: (${names.map(escaped).join('|')})`)} /var/lib/dpkg/status)
KE_DPKG
fi`

const escaped = (name: string) => name.replace(/[.+]/g, '\\$&')

const dpkgLook = `dpkg-query -W -f 'want \${db:Status-Want}\\nstatus \${db:Status-Status}\\nversion \${Version}\\n' "$n" 2>/dev/null || :`

const apt: Speech = {
  command: 'apt-get',
  // Not there, or there for two architectures: asked for itself.
  look: `case "$ke_nl$ke_dpkg$ke_nl" in
*"$ke_nl$n|"*"$ke_nl$n|"*) ${dpkgLook} ;;
*"$ke_nl$n|"*) it=$ke_nl$ke_dpkg$ke_nl; it=\${it#*"$ke_nl$n|"}; it=\${it%%"$ke_nl"*}
  echo "want \${it%%|*}"; it=\${it#*|}; echo "status \${it%%|*}"; echo "version \${it#*|}" ;;
*) ${dpkgLook} ;;
esac`,
  lookHold: ':',
  spec: (name, version) => (version === undefined ? name : `${name}=${version}`),
  words: seconds => `export DEBIAN_FRONTEND=noninteractive
${waiting(seconds, `grep -q 'ould not get lock\\|nable to lock\\|nable to acquire\\|lock was locked by another' "$t"`)}
apt_install() {
  case $1 in *=*) older=--allow-downgrades ;; *) older=-q ;; esac
  ask apt-get -q -y $older -o Dpkg::Options::=--force-confold install --no-install-recommends "$1"
}
# What the index on the host does not know yet, or no longer has, is asked for once more after an update.
install_or_update() {
  apt_install "$1" && return 0
  ! tail -n 1 "$t" | grep -q 'kept the lock' || return 1
  ask apt-get -q update && apt_install "$1"
}
install_it() { or_say install_or_update "$1"; }
remove_it() { or_say ask dpkg --remove "$n"; }
is_held() { [ "$(dpkg-query -W -f '\${db:Status-Want}' "$n" 2>/dev/null)" = hold ]; }
hold_it() { is_held || or_say ask apt-mark hold "$n"; }
unhold_it() { ! is_held || or_say ask apt-mark unhold "$n"; }`,
}

const dnf: Speech = {
  command: 'dnf',
  look: rpmLook,
  lookHold: `dnf -q versionlock list 2>/dev/null | sed 's/^/lock /'`,
  spec: (name, version) => (version === undefined ? name : `${name}-${version}`),
  // dnf waits for ever by itself; told not to, version 4 ends with 200. Version 5 has no such option.
  words: seconds => `now=--setopt=exit_on_lock=True
if command -v dnf5 >/dev/null; then now=-q; fi
dnf_now() { rc=0; timeout ${seconds + 1500} dnf -y $now "$@" || rc=$?; return $rc; }
${waiting(seconds, '[ "$rc" = 200 ]')}
install_or_downgrade() { ask dnf_now install --setopt=install_weak_deps=False "$1" || ask dnf_now downgrade "$1"; }
install_it() { or_say install_or_downgrade "$1"; }
remove_it() { or_say ask rpm -e -- "$n"; }
is_held() { dnf -q versionlock list 2>/dev/null | grep -q "^$n-[0-9]\\|^Package name: $n$"; }
hold_it() { is_held || or_say ask dnf_now versionlock add "$n"; }
unhold_it() { ! is_held || or_say ask dnf_now versionlock delete "$n"; }`,
}

const zypper: Speech = {
  command: 'zypper',
  look: rpmLook,
  lookHold: `zypper -q --non-interactive locks 2>/dev/null | sed 's/^/lock /'`,
  // Without its release a version stands for any: zypper has no patterns here.
  spec: (name, version) => (version === undefined ? name : `${name}=${version.replace(/-?\*$/, '')}`),
  // 102 and 103: a restart is advised. 106: a repository was left out. All of them after the work was done.
  words: seconds => `export ZYPP_LOCK_TIMEOUT=${seconds}
zypper_now() { rc=0; zypper -q --non-interactive "$@" || rc=$?; case $rc in 0 | 102 | 103 | 106) ;; *) return $rc ;; esac; }
${waiting(seconds, 'false')}
install_it() { or_say ask zypper_now install --no-recommends --oldpackage "$1"; }
remove_it() { or_say ask rpm -e -- "$n"; }
is_held() { zypper -q --non-interactive locks 2>/dev/null | grep -q "| $n  *|"; }
hold_it() { is_held || or_say ask zypper_now addlock "$n"; }
unhold_it() { ! is_held || or_say ask zypper_now removelock "$n"; }`,
}

export const managers: Record<Manager, Speech> = { apt, dnf, zypper }

/** Sets $m to the manager and $n to the name it has there: by distribution, what that is like, or manager. */
export const nameHere = (name: string, names: Record<string, string> = {}): string => {
  const arms = Object.entries(names).map(([where, it]) => `${quote(where)}) n=${quote(it)}; break ;;`)
  const find = Object.values(managers).map(({ command }) => `command -v ${command} >/dev/null`)
  return `n=${quote(name)} m=none
if ${find[0]}; then m=apt; elif ${find[1]}; then m=dnf; elif ${find[2]}; then m=zypper; fi${
    arms.length
      ? `
if [ -r /etc/os-release ]; then . /etc/os-release; fi
for it in $ID $ID_LIKE $m; do case $it in ${arms.join(' ')} esac; done`
      : ''
  }`
}
