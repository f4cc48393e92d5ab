import { readFileSync, statSync } from 'node:fs'
import { Problem } from '../engine/problem.ts'
import type { HostAddress, PasswordFrom } from './address.ts'
import type { Exec, ExecResult } from './exec.ts'
import { quote } from './shell.ts'

/**
 * A script for root, in a shell that reads it from stdin: nothing of it is in argv. Who is not root goes through sudo; a
 * password is the first line of stdin. Throws a Problem (exit 2) where the password cannot be read.
 */
export const asRoot = (host: HostAddress, script: string): Required<Pick<Exec, 'command' | 'stdin'>> => {
  if (host.user === 'root') return { command: 'sh -s', stdin: script }
  if (!host.become) return { command: 'sudo -n sh -s', stdin: script }
  return { command: `sh -c ${quote(withPassword)}`, stdin: `${passwordFrom(host.become.password)}\n${script}` }
}

// Where sudo asks for none, the password must not become the script's first line. A wrong one is found out with an
// input of its own, or sudo would take the script for two more tries. Not exported, and printf is the shell's own.
const withPassword = `unset ke_word
IFS= read -r ke_word
if sudo -n sh -c : 2>/dev/null; then unset ke_word; exec sudo -n sh -s; fi
printf '%s\\n' "$ke_word" | sudo -S -k -p '' true || exit 1
{ printf '%s\\n' "$ke_word"; exec cat; } | sudo -S -k -p '' sh -s`

/** Who is not root and takes sudo away can neither go on nor bring it back. Packages: those that a play takes away. */
export const refuseToLoseSudo = (host: HostAddress, packages: readonly string[]): void => {
  if (host.user === 'root' || !packages.some(it => /^sudo(-ldap|-rs)?$/.test(it))) return
  throw new Problem(`${host.name}: package sudo cannot be taken away`, {
    why: `we come in as ${host.user} and become root by it, so nothing could bring it back`,
    next: 'do that by hand, from the console of the host, or come in as root',
    exit: 2,
  })
}

/** The secret itself, for stdin alone; `of` is what it opens. */
export const passwordFrom = (from: PasswordFrom, of = 'sudo', env = process.env): string => {
  const password = 'env' in from ? env[from.env] : inFile(from.file, of)
  if (password === undefined || password === '')
    throw noPassword(
      of,
      'env' in from ? `the variable ${from.env} is not set` : `${from.file} is empty`,
      'env' in from ? `set ${from.env} in the environment of the command` : `write the password into ${from.file}`,
    )
  if (/[\n\r\0]/.test(password)) throw noPassword(of, 'it has more than one line', 'write one line')
  return password
}

const inFile = (file: string, of: string): string => {
  try {
    if ((statSync(file).mode & 0o077) !== 0) throw noPassword(of, `others may read ${file}`, `chmod 600 ${file}`)
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    if (error instanceof Problem) throw error
    throw noPassword(of, (error as Error).message, 'name a file that you can read')
  }
}

const noPassword = (of: string, why: string, next: string) =>
  new Problem(`the password for ${of} cannot be read`, { why, next: `${next}; nothing was touched`, exit: 2 })

/** Throws where sudo let nobody in: the script has not begun, as it would have said something. */
export const refuseSudo = (host: HostAddress, { code, stdout, stderr }: ExecResult): void => {
  if (host.user === 'root' || code === 0 || stdout !== '') return
  const said = stderr
    .split('\n')
    .map(it => it.trim())
    .filter(it => it !== '' && !/^(Sorry, try again\.?|sudo: no password was provided)$/.test(it))
  const wrong = /incorrect password/i.test(stderr)
  if (!wrong && !said.some(it => /sudo/i.test(it))) return
  throw new Problem(`${host.name}: ${host.user} cannot become root${wrong ? ': the password is wrong' : ''}`, {
    why: said.join('\n').slice(-500),
    next: wrong
      ? `correct what ssh.become.password names; nothing was touched on ${host.name}`
      : `let ${host.user} use sudo for everything on the host, and name the password it asks for as ssh.become.password (env or file); nothing was touched there`,
    ...(wrong && { exit: 2 }),
  })
}
