import type { Sent } from './send.ts'

export type AuditLine = { client: string; verdict: string } & Record<string, string>

/** Lines that are not one JSON object of strings come back as `bad`. */
export const parseLines = (lines: string[]): { good: AuditLine[]; bad: string[] } => {
  const [good, bad]: [AuditLine[], string[]] = [[], []]
  for (const line of lines) {
    try {
      const it = JSON.parse(line) as AuditLine
      if (Object.values(it).every(value => typeof value === 'string') && it.client && it.verdict) good.push(it)
      else bad.push(line)
    } catch {
      bad.push(line)
    }
  }
  return { good, bad }
}

/** What is wrong with a case as its client sees it; null: nothing. */
export const judgeAnswer = (it: Sent): string | null => {
  const should = verdictsOf(it).filter(verdict => verdict === 'allowed').length
  const reached = it.text.split(it.method === 'HEAD' ? 'X-Sink: reached' : '\nreached ').length - 1
  if (reached !== should) return told(it, `reached ${reached} of ${should}`)
  return should === 0 && /^HTTP\/1\.[01] 2/m.test(it.text)
    ? told(it, 'it was refused, and answered with success')
    : null
}

/**
 * What is wrong with a case in the log: a line for each request, with its verdict. Bytes behind a request that could not
 * be read are a line more, without a method.
 */
export const judgeLog = (it: Sent, lines: AuditLine[]): string | null => {
  const wanted = verdictsOf(it)
  const rest = lines.filter(line => line.method === '-')
  const counted = lines.length - rest.length === wanted.length ? lines.filter(line => line.method !== '-') : lines
  const found = counted.map(line => line.verdict)
  if (!same(found, wanted)) return told(it, `the log says [${found.join()}], not [${wanted.join()}]`)
  return rest.length < 2 && rest.every(line => line.verdict === 'denied') ? null : told(it, 'lines without a method')
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
