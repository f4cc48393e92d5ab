import { readFileSync } from 'node:fs'
import { quote } from '../shell.ts'

/** What must be kept before a change that could cut us off, and how the host takes it back by itself. All sh. */
export type Guard = {
  /** How long the host waits for a new login, counted from the end of the change. */
  seconds: number
  /** Files and directories kept whole. One that is not there before is removed when the change is taken back. */
  keep: string[]
  /** Keeps what is only in memory as files in the current directory. */
  save?: string
  /** Follows the change within its step, so that the new login tests what will stay. */
  inForce?: string
  /** Brings what was put back in force, in that same directory; may run twice, and after a change that failed. */
  back?: string
  /** The same at a boot, before any service has read what was put back. */
  boot?: string
  /** For a file of ours: a command that must succeed on the candidate, written `{}`. */
  check?: string
}

const text = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8')
const [functions, revert, confirm] = ['./functions.sh', './revert.sh', './confirm.sh'].map(text) as [
  string,
  string,
  string,
]

/** What the runner needs on top where a bundle has guarded steps. */
export const guardFunctions = `KE_STATE=/var/lib/kapsule-egress\nguard_script() {\ncat <<'KE_REVERT'\n${revert}KE_REVERT\n}\n${functions}`

/** The guarded step: arms, changes, brings in force. */
export const guarded = (run: string, id: string, { seconds, keep, save, inForce, back, boot }: Guard): string => {
  if (keep.some(it => !/^\/[^\n]*[^\n/]$/.test(it))) throw new Error(`cannot keep ${JSON.stringify(keep)}`)
  const words = [id, String(Math.ceil(seconds)), keep.join('\n'), save ?? ':', back ?? ':', boot ?? ':']
  return [`guard_arm ${words.map(quote).join(' ')}`, run, inForce ?? ':'].join('\n')
}

/** For the new login: says yes if this very change is the one that waits. */
export const confirmation = (id: string): string =>
  `ke_confirm() {\nrun=${quote(id)}\n${confirm}\n}\nke_confirm\nexit\n`
