import { type AuditLine, parseAuditLine } from '../../src/policy/audit-line.ts'
import type { Sent } from './send.ts'

/** What is wrong with a case as its client sees it; null: nothing. */
export const judgeAnswer = (it: Sent): string | null => {
  const should = verdictsOf(it).filter(verdict => verdict === 'allowed').length
  const reached = it.text.split(it.method === 'HEAD' ? 'X-Sink: reached' : '\nreached ').length - 1
  if (reached !== should) return told(it, `reached ${reached} of ${should}`)
  return should === 0 && /^HTTP\/1\.[01] 2/m.test(it.text)
    ? told(it, 'it was refused, and answered with success')
    : null
}

/** What is wrong with a case in the log: it has a line for each request, with its verdict. */
export const judgeLog = (it: Sent, lines: AuditLine[]): string | null => {
  const found = lines.map(line => line.verdict ?? 'none')
  return same(found, verdictsOf(it)) ? null : told(it, `the log says [${found.join()}], not [${verdictsOf(it).join()}]`)
}

export const verdictsOf = ({ verdicts, expect }: Sent) => verdicts ?? [expect]

const told = ({ class: of, method, destination, reason, text, error }: Sent, what: string): string =>
  `${of}: ${method.slice(0, 20)} ${destination.slice(0, 100)} (${reason}): ${what}; it heard ${text.split('\r\n', 1)[0] || error}`

const same = (a: string[], b: string[]) => [...a].sort().join() === [...b].sort().join()

/** The destinations that allowed requests had: what their own answers tell, and the same server by IPv6. */
export const honestOf = (sent: Sent[]): Set<string> =>
  new Set(
    sent
      .filter(it => it.verdicts?.includes('allowed') ?? it.expect === 'allowed')
      .flatMap(it => [...it.text.matchAll(/\nreached (\S+) (\d+)/g)].map(found => `${found[1]} tcp ${found[2]}`)),
  )

/** Lines that the strict reader does not take come back as `bad`. */
export const parseLines = (lines: string[]): { good: AuditLine[]; bad: string[] } => {
  const read = lines.map(line => ({ line, it: parseAuditLine(line) }))
  return { good: read.flatMap(({ it }) => it ?? []), bad: read.filter(({ it }) => !it).map(({ line }) => line) }
}
