import { createInterface } from 'node:readline/promises'
import { Problem } from '../engine/problem.ts'
import type { Session } from './session.ts'

/** Asks a person; `--yes` answers. Where nobody can be asked, that is an error and not a yes. */
export const agreed = async ({ flags, output }: Session, question: string): Promise<void> => {
  if (flags.yes) return
  if (process.stdin.isTTY && process.stderr.isTTY && !output.json) {
    const lines = createInterface({ input: process.stdin, output: process.stderr })
    const answer = await lines.question(`${question} [y/N] `).finally(() => lines.close())
    if (/^y(es)?$/i.test(answer.trim())) return
    throw new Problem('not confirmed', {
      why: `the answer was ${JSON.stringify(answer)}`,
      next: 'nothing was touched',
      exit: 2,
    })
  }
  throw new Problem('this needs a yes', {
    why: `${question} There is no terminal to ask on`,
    next: 'say --yes; nothing was touched',
    exit: 2,
  })
}
