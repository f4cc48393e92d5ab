import { createReadStream } from 'node:fs'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { Problem } from '../engine/problem.ts'
import type { HostAddress } from './address.ts'
import { asRoot, refuseSudo } from './become.ts'
import { createLines } from './lines.ts'
import { quote } from './shell.ts'
import type { Ssh } from './ssh.ts'

export type AuditRead = {
  log: string
  /** Milliseconds. Some lines of before may come along. */
  since: number
  signal: AbortSignal
  timeoutSeconds: number
}

/** How far lines may be from the order of time, as after a step of the clock. */
const slackMs = 10 * 60_000

/**
 * Hands over every line of a host's log since then, oldest first: rotated, compressed and current. It comes as one
 * stream and nothing is kept. Throws a Problem where it did not come whole; what came before was handed over.
 */
export const readAudit = async (ssh: Ssh, host: HostAddress, read: AuditRead, onLine: (line: string) => void) => {
  const { log, since, signal, timeoutSeconds } = read
  const into = new PassThrough()
  const lost = new AbortController()
  const stop = AbortSignal.any([signal, lost.signal])
  const unpacked = pipeline(into, createGunzip(), createLines(onLine), { signal: stop })
  // Told below; until then it must not end the process.
  unpacked.catch(() => {})
  try {
    const script = auditScript(log, new Date(since - slackMs))
    const said = await ssh.exec(host, { ...asRoot(host, script), into, signal, timeoutSeconds, bootSeconds: 3 })
    refuseSudo(host, said)
    if (said.code !== 0) throw unread(host, log, said.stderr)
    await unpacked
    // The first half of a pipe has no exit code.
    const lacks = said.stderr.split('\n').flatMap(it => (it.startsWith('KE ') ? [it.slice(3)] : []))
    if (lacks.length > 0) throw unread(host, log, lacks.join('\n'))
  } catch (error) {
    lost.abort()
    throw error instanceof Error && 'code' in error && /^Z_|ERR_STREAM/.test(String(error.code))
      ? unread(host, log, `it came damaged: ${error.message}`)
      : error
  }
}

/** The same of a copy of a log, e.g. from where they are collected. */
export const readAuditFile = (file: string, signal: AbortSignal, onLine: (line: string) => void): Promise<void> =>
  file.endsWith('.gz')
    ? pipeline(createReadStream(file), createGunzip(), createLines(onLine), { signal })
    : pipeline(createReadStream(file), createLines(onLine), { signal })

/**
 * Lines are in the order of time, so a plain file is halved until its first line of interest is near, whatever its
 * size; a rotated file whose last change was before is not opened. The current log is held open first: one that is
 * rotated now is neither missed nor read twice. Compressed on the way, and always after Squid in line for the CPU.
 */
export const auditScript = (log: string, since: Date): string => `ke_audit() {
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
renice -n 10 -p $$ >/dev/null 2>&1
log=${quote(log)}
since=${quote(since.toISOString())}
here=/proc/self/fd/3
if [ -f "$log" ]; then exec 3<"$log"; else exec 3</dev/null; fi
size=$(stat -L -c %s $here)
current=$(stat -L -c %i $here)
# Names may move on any moment, so files are known by their inodes.
say() { printf 'KE %s\\n' "$1" >&2; }
list() { stat -c '%Y %i %s %n' -- "$log".[0-9]* "$log"-[0-9]* 2>/dev/null; }
rotated=$(list)
for _ in 1 2 3 4 5; do
  again=$(list)
  [ "$again" != "$rotated" ] || break
  rotated=$again
done
if [ -z "$rotated" ] && [ ! -f "$log" ]; then echo "there is no $log" >&2; exit 66; fi
# FILE SIZE
since_in() {
  low=0 high=$2
  while [ $((high - low)) -gt 65536 ]; do
    middle=$(((low + high) / 2))
    at=$(tail -c +$((middle + 1)) "$1" | head -c 65536 | sed -n '2{s/^{"time":"\\([0-9T:.-]*Z\\)".*/\\1/p;q;}')
    # What cannot be told is read: nothing is left out for it.
    if [ -n "$at" ] && expr "x$at" '<' "x$since" >/dev/null; then low=$middle; else high=$middle; fi
  done
  tail -c +$((low + 1)) "$1" | head -c $(($2 - low)) | { [ $low = 0 ] || IFS= read -r _; cat; }
}
# What is open as 4, if that is the file looked for: a name may move between any two commands.
read_held() {
  [ "$(stat -L -c %i /proc/self/fd/4)" = "$inode" ] || return 1
  case $it in
    *.gz) { gzip -dc <&4 || say "$it is damaged"; } | awk -v since="$since" 'substr($0, 10, 24) >= since' ;;
    *.xz) { xz -dc <&4 || say "$it is damaged"; } | awk -v since="$since" 'substr($0, 10, 24) >= since' ;;
    *) since_in /proc/self/fd/4 "$size" ;;
  esac
  return 0
}
{
  printf '%s\\n' "$rotated" | sort -n | while read -r changed inode size it; do
    case $it in "$log"[.-]*) ;; *) continue ;; esac
    [ "$inode" != "$current" ] && [ "$changed" -ge ${Math.floor(since.getTime() / 1000)} ] || continue
    case \${it#"$log"} in *[!0-9a-z.-]*) continue ;; esac
    if [ "$(stat -c %i "$it" 2>/dev/null)" = "$inode" ] && { [ ! -f "$it" ] || [ -L "$it" ]; }; then continue; fi
    tries=0
    until [ -f "$it" ] && [ ! -L "$it" ] && read_held 4<"$it"; do
      # A name with a line break was listed by its first half.
      was=$it it=$(find "\${log%/*}" -maxdepth 1 -inum "$inode") tries=$((tries + 1))
      case \${it#"$log"} in *[!0-9a-z.-]*) continue 2 ;; esac
      case $it in "$log"[.-]*) [ $tries -gt 5 ] || continue ;; esac
      say "$was was rotated away while others were read"
      continue 2
    done
    # A file that ends in the middle of a line takes no other along.
    echo
  done
  since_in $here "$size"
} | gzip -1
}
ke_audit </dev/null
exit
`

const unread = (host: HostAddress, log: string, said: string) =>
  new Problem(`${host.name}: its audit log could not be read`, {
    why: said.trim().slice(-500) || `${log} did not come whole`,
    next: `look at ${log} and the files beside it on ${host.name}; 40-configure.mjs makes a proxy write one`,
  })
