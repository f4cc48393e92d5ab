import { styleText } from 'node:util'
import { Problem } from '../engine/problem.ts'
import { visible } from './visible.ts'

type Shown = { stream?: NodeJS.WriteStream; told?: (next: string) => string }

/** A Problem as three lines, what, why and next, as `told` has it; a bug as its stack with its causes. */
export const problemText = (error: unknown, { stream = process.stderr, told = it => it }: Shown = {}): string => {
  const red = (text: string) => styleText('red', text, { stream })
  const dim = (text: string) => styleText('dim', text, { stream })
  if (error instanceof Problem) {
    return [
      `${red('✖')} ${hanging(error.message)}`,
      `  ${dim('why')}   ${hanging(error.why)}`,
      `  ${dim('next')}  ${hanging(told(error.next))}`,
    ].join('\n')
  }
  return `${red('✖')} a bug in kapsule-egress: ${stackOf(error)}`
}

/** What a host's command said may hold bytes that move the cursor, or set colours. */
const hanging = (text: string) =>
  text
    .trimEnd()
    .split(/\r?\n/)
    .map(it => visible(it.replaceAll('\t', '    '), Number.POSITIVE_INFINITY))
    .join('\n        ')

const stackOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  return `${error.stack ?? error.message}${cause === undefined ? '' : `\n  caused by ${stackOf(cause)}`}`
}
