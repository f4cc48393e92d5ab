import { setTimeout as sleep } from 'node:timers/promises'
import type { Report } from '../engine/kind.ts'
import type { HostAddress } from './address.ts'
import { asRoot, refuseSudo } from './become.ts'
import type { ExecResult } from './exec.ts'
import type { Ssh } from './ssh.ts'
import { ConnectionLost, Unreachable } from './ssh-problems.ts'

/**
 * Prints what a bundle has reported beyond the first `seen` lines, as it comes, until the bundle has let go of the
 * host's lock. Nothing is printed of one that never began; `cut` of one that began and was killed.
 */
export const followScript = ({ mark, run, seen }: { mark: string; run: string; seen: number }): string => `ke_follow() {
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
KE_STATE=/var/lib/kapsule-egress
report=$KE_STATE/reports/${run}
seen=${seen} over=no
while [ $over = no ]; do
  if [ ! -e "$KE_STATE/lock" ] || flock -n -s "$KE_STATE/lock" true; then over=yes; else sleep 0.1; fi
  [ -e "$report" ] || continue
  # Whole lines only: the last one may just be written.
  lines=$(wc -l <"$report")
  if [ "$lines" -gt $seen ]; then sed -n "$((seen + 1)),\${lines}p" "$report"; seen=$lines; fi
done
if [ -e "$report" ] && ! grep -q '^${mark} end ' "$report"; then echo '${mark} cut'; fi
}
ke_follow </dev/null
exit
`

type Carried = {
  mark: string
  run: string
  script: string
  onLine: (line: string) => void
  timeoutSeconds: number
  /** How long the host may be away. */
  awaySeconds: number
}

// A script that never arrives whole, time after time, is not sent for ever.
const sendings = 5

/**
 * Sends a bundle's script and sees it to its end through lost connections: it runs on without one, and is picked up
 * again. It is sent again only if it never began. `onLine` gets each of its lines once.
 */
export const carry = async (ssh: Ssh, host: HostAddress, bundle: Carried, report: Report): Promise<ExecResult> => {
  const { mark, run, script, timeoutSeconds, awaySeconds } = bundle
  let seen = 0
  let sent = 0
  let gone: number | undefined
  const onLine = (line: string) => {
    if (!line.startsWith(`${mark} `)) return
    seen++
    gone = undefined
    bundle.onLine(line)
  }
  const exec = (stdin: string) =>
    ssh.exec(host, {
      ...asRoot(host, stdin),
      onLine,
      timeoutSeconds,
      waiting: what => report.waiting(what),
    })
  for (let sending = true; ; ) {
    try {
      if (sending) sent++
      const result = await exec(sending ? script : followScript({ mark, run, seen }))
      gone = undefined
      if (seen === 0) refuseSudo(host, result)
      if (sending || seen > 0 || sent >= sendings) return result
      sending = true
    } catch (error) {
      const again = error instanceof ConnectionLost || (gone !== undefined && error instanceof Unreachable)
      if (!again) throw error
      gone ??= Date.now()
      if (Date.now() - gone > awaySeconds * 1000) throw error
      sending = false
      report.waiting(`${host.name}: its connection ended; the change goes on there and is picked up again`)
      await sleep(250)
    }
  }
}
