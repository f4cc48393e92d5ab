import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { everyPod, type Probes } from '../probe.ts'
import { gate } from './gate.ts'
import { fail, inconclusive, pass, worst } from './measure.ts'
import type { Subject } from './subject.ts'

/** A destination outside the allowlist gets 403 from the proxy, and the refusal is in the audit log. */
export const forbiddenRefused = gate<Subject, Probes>('a forbidden destination is refused and logged', {
  interval: '500ms',
  count: 1,
  async ask(subject, probes) {
    const verdicts = await everyPod(subject, probes, async pod => {
      const { url, needle } = marked(subject.forbidden)
      const from = `${pod.metadata.name} to ${url}`
      const answer = await probes.curl(pod, ['-o', '/dev/null', '-w', '%{http_code} %{http_connect}', url])
      if ('unheard' in answer) return inconclusive(answer.unheard)
      // For https the refusal answers the CONNECT, and curl ends with 56.
      const [plain, connect] = answer.stdout.trim().split(' ').map(Number)
      const status = connect || plain || 0
      if (status === 0) return inconclusive(`${from}: no answer, curl exit ${answer.code} ${answer.stderr.trim()}`)
      // Where Squid looks at the names in TLS it cannot refuse a CONNECT with 403 (docs/shared-proxies.md).
      if (status !== 403 && connect !== 407) return fail(`${from}: answered ${status}, not 403`)
      const lines = await logged(probes, needle)
      if (!lines) return inconclusive(`${from}: 403, but the audit log could not be read`)
      return lines.length > 0 ? pass : fail(`${from}: 403, but not in the audit log: who refused it?`)
    })
    return worst(verdicts)
  },
})

/** A name of its own, so that its line in the log is this request's: paths and queries may not be logged. */
export const marked = (forbidden: string): { url: string; needle: string } => {
  const url = new URL(forbidden)
  if (isIP(url.hostname.replace(/^\[|\]$/g, ''))) return { url: url.href, needle: url.hostname }
  const needle = `probe-${randomBytes(6).toString('hex')}`
  url.hostname = `${needle}.${url.hostname}`
  return { url: url.href, needle }
}

/** Squid writes its log when the answer is out, so it may come a moment later. */
const logged = async (probes: Probes, needle: string): Promise<string[] | null> => {
  let lines: string[] | null = null
  for (const ms of [0, 250, 500, 1000]) {
    await delay(ms)
    lines = await probes.auditLog(needle)
    if (lines?.length) return lines
  }
  return lines
}
