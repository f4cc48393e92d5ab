import type { Answer } from '../probe.ts'

/** What a request came to. `refused`: the proxy answered instead; `silent`: nobody did; `unheard`: it was not asked. */
export type Seen = { status: number } | { refused: string } | { silent: string } | { unheard: string }

/**
 * What curl saw, asked with `-D - -w '\nseen %{http_code} %{http_connect}'`. Squid marks what it answers in a
 * destination's place by X-Squid-Error. A name that does not resolve (6) never came to the question.
 * @see curl(1), EXIT CODES
 */
export const answerIn = (answer: Answer): Seen => {
  if ('unheard' in answer) return answer
  const { code, stdout, stderr } = answer
  const [, plain = 0, connect = 0] = (/^seen (\d+) (\d+)$/m.exec(stdout) ?? []).map(Number)
  const [, refusal] = /^x-squid-error: *([A-Z_]+)/im.exec(stdout) ?? []
  if (refusal) return { refused: `the proxy answered ${plain || connect} ${refusal}` }
  if (connect >= 400) return { refused: `the proxy answered ${connect}` }
  const said = `curl exit ${code} ${stderr.trim()}`.trim()
  if (code === 0 && plain >= 100) return { status: plain }
  return NEVER_ASKED.includes(code) ? { unheard: said } : { silent: `no answer: ${said}` }
}

/** A wrong URL or option (1 to 4), a name that does not resolve (5, 6), no such file of its own (26, 27, 58, 77). */
const NEVER_ASKED = [0, 1, 2, 3, 4, 5, 6, 26, 27, 58, 77]
