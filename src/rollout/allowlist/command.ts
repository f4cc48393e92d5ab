import { execa } from 'execa'
import { millis } from '../../engine/duration.ts'
import { Problem } from '../../engine/problem.ts'
import { rangeOf } from '../../engine/ranges.ts'
import type { Entry, Firewall, FirewallRef } from './firewall.ts'

type Options = Extract<FirewallRef, { provider: 'command' }> & { root: string; variables?: NodeJS.ProcessEnv }

/** EX_TEMPFAIL of sysexits(3): "try again later". */
const LATER = 75

/**
 * A firewall behind programs of the operator, run without a shell in the project's folder: `list` prints
 * `[{"range","description"}]`; `add` and `remove` read one such object from stdin. Exit 75: may be better later.
 */
export const commandFirewall = (
  { list, add, remove, env = [], timeout = '30s', root, variables = process.env }: Options,
  signal: AbortSignal,
): Firewall => {
  const run = async ([file = '', ...args]: string[], input: object | null): Promise<string> => {
    const given = (names: string[]) => names.flatMap(it => (variables[it] === undefined ? [] : [[it, variables[it]]]))
    const secrets = given(env).map(([, value]) => String(value))
    const { exitCode, stdout, stderr, timedOut, code } = await execa(file, args, {
      cwd: root,
      reject: false,
      input: input ? `${JSON.stringify(input)}\n` : '',
      maxBuffer: 1 << 20,
      timeout: millis(timeout),
      killDescendants: true,
      extendEnv: false,
      env: Object.fromEntries(given([...USUAL, ...env])),
      cancelSignal: signal,
    })
    signal.throwIfAborted()
    if (exitCode === 0) return stdout
    const said = secrets
      .reduce((text, it) => (it ? text.replaceAll(it, '***') : text), stderr)
      .trim()
      .slice(-300)
    const why = timedOut ? `it did not end within ${timeout}` : exitCode === undefined ? (code ?? 'it did not start') : `exit code ${exitCode}` // biome-ignore format: one line
    throw new Failed(`${file} failed`, said ? `${why}: ${said}` : why, timedOut || exitCode === LATER)
  }
  return {
    async list() {
      const text = await run(list, null)
      const entries = entriesIn(text)
      if (entries) return entries
      throw new Failed(
        `${list[0]} printed no list`,
        'it has to print [{"range": "203.0.113.7/32", "description": ""}]',
        false,
      )
    },
    async add(entry) {
      await run(add, entry)
    },
    async remove(range) {
      await run(remove, { range })
    },
    passing: error => error instanceof Failed && error.passing,
  }
}

const USUAL = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TMPDIR', 'TZ']

class Failed extends Problem {
  readonly passing: boolean
  constructor(what: string, why: string, passing: boolean) {
    super(what, { why, next: 'run it by hand, mend it, then run again' })
    this.passing = passing
  }
}

const entriesIn = (text: string): Entry[] | null => {
  try {
    const found = JSON.parse(text) as { range: string; description?: string }[]
    return found.map(it => ({ range: rangeOf(it.range), description: String(it.description ?? '') }))
  } catch {
    return null
  }
}
