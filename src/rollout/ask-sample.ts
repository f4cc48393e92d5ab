import { fail, inconclusive, pass, type Verdict } from './gates/measure.ts'
import { PROXY_FILES, type ProxyAt, proxyUrl } from './no-proxy.ts'
import type { Answer, Probes } from './probe.ts'
import type { Pod } from './workload.ts'

/** A question from a pod. `by`: the proxy that is asked; null: none, straight out. */
export type Question = {
  method: string
  url: string
  by: ProxyAt | null
  agent: string
  /** Said to the proxy byte by byte, with this Host. */
  raw?: { host: string }
}

/** What curl saw. `status`: of the proxy's answer (to CONNECT for https), 0: none. `refusal`: Squid's own word for it. */
export type Seen =
  | { status: number; refusal: string | null; connected: boolean; exit: number; said: string }
  | { unheard: string }

/** What the proxy wrote down about it. */
export type Logged = { verdict: string; rule: string; revision: string } | null

/** Asks one question by curl in the pod. Headers alone are looked at, never a body. */
export const askSample = async (probes: Probes, pod: Pod, question: Question): Promise<Seen> => {
  const { method, url, by, agent } = question
  if (question.raw && by) {
    const keys = by.certificates ? ownKeys : []
    return seenRaw(
      await probes.curl(pod, ['--noproxy', '*', '-g', '--connect-timeout', '3', ...keys, rawUrl(question, by)]),
    )
  }
  const way = by ? ['--noproxy', '', '--proxy', proxyUrl(by)] : ['--noproxy', '*']
  const seen = '%{http_code} %{http_connect} %{time_connect}'
  const args = ['-k', '-g', '-X', method, '-A', agent, '--connect-timeout', '3', '-o', '/dev/null', '-D', '-']
  return seenIn(await probes.curl(pod, [...way, ...args, '-w', `\\nseen ${seen}`, url]), url)
}

export const seenIn = (answer: Answer, url: string): Seen => {
  if ('unheard' in answer) return answer
  const { code, stdout, stderr } = answer
  const [, plain = 0, connect = 0, time = 0] = (/^seen (\d+) (\d+) ([\d.]+)$/m.exec(stdout) ?? []).map(Number)
  const [, refusal = null] = /^x-squid-error: *([A-Z_]+)/im.exec(stdout) ?? []
  const status = url.startsWith('https:') && connect ? connect : plain
  return { status, refusal, connected: time > 0, exit: code, said: stderr.trim().slice(0, 200) }
}

const ownKeys = [
  ...['--cacert', `${PROXY_FILES}/ca.crt`],
  ...['--cert', `${PROXY_FILES}/tls.crt`],
  ...['--key', `${PROXY_FILES}/tls.key`],
]

/** curl says what stands in a gopher:// URL as it is, with one end of line behind it: the blank line. */
const rawUrl = ({ method, url, agent, raw }: Question, { address, port, certificates }: ProxyAt) => {
  const lines = [`${method} ${url} HTTP/1.1`, `Host: ${raw?.host}`, `User-Agent: ${agent}`, 'Connection: close', '']
  return `gopher${certificates ? 's' : ''}://${address}:${port}/_${encodeURIComponent(lines.join('\r\n'))}`
}

/** What was said comes back with its headers, as it is. */
export const seenRaw = (answer: Answer): Seen => {
  if ('unheard' in answer) return answer
  const { code, stdout, stderr } = answer
  const [, status = 0] = (/^HTTP\/\d\.\d (\d{3})\b/.exec(stdout) ?? []).map(Number)
  const [head = ''] = stdout.split('\r\n\r\n', 1)
  const [, refusal = null] = /^x-squid-error: *([A-Z_]+)/im.exec(head) ?? []
  return { status, refusal, connected: status > 0, exit: code, said: stderr.trim().slice(0, 200) }
}

/** The words of `Expected` in src/policy/samples.ts, and what was seen of each: a pod's own look, and the proxy's log. */
export const judgeSample = (expected: string, seen: Seen, logged: Logged): Verdict => {
  if ('unheard' in seen) return inconclusive(seen.unheard)
  const { status, refusal, connected, exit, said } = seen
  if (expected === 'blocked') {
    // Refused (7) and timed out (28) are what a policy looks like; curl's exit codes.
    if (connected || status > 0) return fail('a connection was made')
    return exit === 7 || exit === 28 ? pass : inconclusive(`curl exit ${exit} ${said}`)
  }
  if (status === 0) return inconclusive(`the proxy gave no answer: curl exit ${exit} ${said}`)
  const denied = status === 403 && logged?.verdict !== 'allowed' && logged?.verdict !== 'would_deny'
  if (expected === 'refused') {
    // What is no request to Squid is answered 400, and 405 or 501 where it knows no such method.
    if (!denied && !(refusal && status >= 400 && logged?.verdict !== 'allowed'))
      return fail(`let through: answered ${status}`)
    if (!logged) return inconclusive('refused, and the audit log does not say so')
    return logged.verdict === 'denied' ? pass : fail(`refused, and logged as ${logged.verdict}`)
  }
  if (denied) return fail(`refused${logged ? ` by ${logged.rule}` : ''}`)
  if (!logged) return inconclusive('let through, and the audit log does not say so')
  const wanted = expected === 'noted' ? 'would_deny' : 'allowed'
  if (logged.verdict !== wanted) return fail(`logged as ${logged.verdict}, not as ${wanted}`)
  return pass
}
