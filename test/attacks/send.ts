import type { Heard, Say } from '../support/lab/client.ts'
import type { Answer } from '../support/lab/dns-message.ts'
import { at, type Lab } from '../support/lab/lab.ts'
import type { Attack } from './attack.ts'

/** Where a tenant asks from and at. `pods`: the /24s of its addresses. `mark`: what its requests are known by. */
export type Asking = {
  from?: string
  to?: string
  mark?: string
  port?: number
  pods?: readonly string[]
  sideBySide?: number
}

export type Sent = Attack & { n: number; id: string; from: string; text: string; error: string | null; ms: number }

export const zone: Record<string, Answer> = {
  ...Object.fromEntries(
    [
      'allowed.test',
      '*.allowed.test',
      'exact.test',
      'xn--bcher-kva.test',
      '*.tricks.test',
      'tunnel.test',
      'read.test',
    ].map(it => [it, { a: [at.web], aaaa: [at.web6] }]),
  ),
  'ports.test': { a: [at.otherPorts] },
}

export const zoneOf = (set: Attack[]): Record<string, Answer> =>
  Object.assign({}, zone, ...set.map(it => it.zone ?? {}))

/** Says every case to the proxy, each from an address of its own, and hears what comes back. */
export const sendAll = async (
  lab: Pick<Lab, 'startClient'>,
  set: Attack[],
  { from: only, to = at.proxyInside, mark = 'case', port = 3128, pods = at.pods, sideBySide = 24 }: Asking = {},
): Promise<Sent[]> => {
  const client = await lab.startClient()
  const heard = new Map<number, (it: Heard) => void>()
  client.onEach(it => heard.get((it as Heard).n)?.(it as Heard))
  const from = only ? set.map(() => only) : sources(set, pods)
  const one = async (it: Attack, n: number): Promise<Sent> => {
    const id = `${mark}-${n}-`
    const filled = (text: string) => text.replaceAll('{id}', id).replaceAll('{refused}', `refused-${n}-`)
    const words: Say = {
      n,
      from: from[n]!,
      to,
      port,
      parts: [it.raw].flat().map(filled),
      pauseMs: it.pauseMs ?? 0,
      probe: `GET /${id} HTTP/1.1\r\nHost: in-the-tunnel\r\n\r\n`,
      idleMs: it.idleMs ?? 400,
    }
    const answer = new Promise<Heard>(resolve => heard.set(n, resolve))
    client.write(JSON.stringify(words))
    return { ...it, ...(await answer), id, from: from[n]! }
  }
  const sent: Sent[] = []
  const queue = set.map((it, n) => [it, n] as const)
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) sent[next[1]] = await one(...next)
  }
  await Promise.all(Array.from({ length: sideBySide }, worker))
  await client.stop()
  return sent
}

/** So that a line of the log is told from all others by its client alone, as long as there are enough of these. */
const sources = (set: Attack[], own: readonly string[]): string[] => {
  let [pods, strangers] = [0, 0]
  const pod = (n: number) => `${own[Math.floor(n / 254) % own.length]}.${(n % 254) + 1}`
  return set.map(({ stranger }) => (stranger ? `${at.strangers}.${++strangers}` : pod(pods++)))
}
