import { setTimeout as sleep } from 'node:timers/promises'
import type { HostAddress } from './address.ts'
import { asRoot } from './become.ts'
import { quote } from './shell.ts'
import type { Ssh } from './ssh.ts'

export type Search = {
  log: string
  needle: string
  withinSeconds: number
  /** Looks on until there are so many, or the time is over; at least one. */
  atLeast?: number
  signal?: AbortSignal
}

/** Looks for lines in a host's log, as a gate does that wants to see a refused request written down. */
export const createAuditLog = (ssh: Ssh) => ({
  /** The matching lines among the last 5000, at most 500, newest last; empty when none came in time. */
  async find(host: HostAddress, { log, needle, withinSeconds, atLeast = 1, signal }: Search): Promise<string[]> {
    const until = Date.now() + withinSeconds * 1000
    for (;;) {
      const { stdout } = await ssh.exec(host, {
        ...asRoot(host, `tail -n 5000 -- ${quote(log)} 2>/dev/null | grep -F -- ${quote(needle)} | tail -n 500\n`),
        timeoutSeconds: 30,
        repeatable: true,
        ...(signal ? { signal } : {}),
      })
      const lines = stdout.split('\n').filter(Boolean)
      if (lines.length >= atLeast || Date.now() >= until) return lines
      await sleep(300, undefined, signal ? { signal } : {})
    }
  },
})
