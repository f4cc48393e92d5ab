import { setTimeout as sleep } from 'node:timers/promises'
import { innerOf } from '../../playbooks/configure.ts'
import type { HostAddress } from '../hosts/address.ts'
import type { Tenant } from '../inventory/context.ts'
import { parseAuditLine } from '../policy/audit-line.ts'
import { policyOf } from '../policy/entries.ts'
import { type Sample, samplesOf } from '../policy/samples.ts'
import type { EvidenceSample, Finding } from '../report/evidence.ts'
import { askSample, judgeSample, type Logged, type Seen } from '../rollout/ask-sample.ts'
import type { Verdict } from '../rollout/gates/measure.ts'
import type { Subject } from '../rollout/gates/subject.ts'
import { searchGateway } from '../rollout/gateway-pod/log.ts'
import { gatewayAddress } from '../rollout/gateway-pod/manifests.ts'
import type { Probes } from '../rollout/probe.ts'
import type { Pod } from '../rollout/workload.ts'
import { kubeOf } from './kube-of.ts'
import { searchLog } from './logs.ts'
import type { Staged } from './staged.ts'

/** So many questions of one pod at a time; and after so many without any answer, the proxy is asked no more. */
const together = 4
const patience = 8

/** Why nobody could be asked. */
export type Unheard = { unheard: string }

/** Lines with a mark, once there are so many or some seconds are over. */
type Find = (mark: string, atLeast: number) => Promise<string[]>

/** `find` null: it cannot be read. */
export type Log = { name: string; find: Find | null }

export const onHost =
  (staged: Staged, host: HostAddress): Find =>
  (mark, atLeast) =>
    searchLog(staged, host, mark, atLeast)

export const inGateway =
  (staged: Staged, tenant: string): Find =>
  async (needle, atLeast) => {
    const search = { needle, atLeast, withinMs: 5000, signal: staged.session.world.abort }
    return (await searchGateway(kubeOf(staged), tenant, gatewayAddress(tenant), search)) ?? []
  }

type Asking = { tenant: Tenant; subject: Subject; probes: Probes; pod: Pod | Unheard; mark: string; logs: Log[] }

/** Asks the pod everything of the list, then the logs of the proxies what they wrote down of it. */
export const samplesSeen = async (staged: Staged, asking: Asking): Promise<EvidenceSample[]> => {
  const { tenant, subject, logs } = asking
  const { context } = staged.session
  const { echo, forbidden, proxies } = subject
  const policy = policyOf(context, tenant)
  const samples = samplesOf({ policy, proxies, echo, forbidden, inner: innerOf(context) })
  const seen = await askAll(asking, samples)
  const heard = samples.filter((it, n) => it.by === 'proxy' && !('unheard' in seen[n]!)).length
  const logged = await loggedOf(staged, asking, heard)
  const unread = logs.flatMap(it => (it.find ? [] : [it.name])).join(', ')
  return samples.map(({ kind, method, url, by, expected, why }, n) => {
    const line = logged.get(n) ?? null
    const finding = findingOf(judgeSample(expected, seen[n]!, line))
    if (unread && by === 'proxy' && !line && finding.verdict === 'unclear')
      finding.why += `; the log of ${unread} could not be read`
    return {
      ...{ kind, method, url, by: by === 'proxy' ? 'by the proxy' : 'straight', expected, because: why },
      ...{ seen: spoken(seen[n]!), logged: line, ...finding },
    }
  })
}

/** A proxy that answers nobody is not asked for ever. */
const askAll = async ({ subject, probes, pod, mark }: Asking, samples: Sample[]): Promise<Seen[]> => {
  const seen: Seen[] = []
  let silent = 0
  const one = ({ method, url, by, raw }: Sample, n: number): Promise<Seen> | Seen => {
    if ('unheard' in pod) return pod
    if (by === 'proxy' && silent >= patience)
      return { unheard: `not asked: the proxy gave no answer to the ${silent} questions before` }
    const agent = `${mark}-${n}-`
    return askSample(probes, pod, {
      method,
      url,
      by: by === 'proxy' ? subject.proxy : null,
      agent,
      ...(raw && { raw }),
    })
  }
  for (let n = 0; n < samples.length; n += together) {
    const some = samples.slice(n, n + together)
    const answers = await Promise.all(some.map((it, at) => one(it, n + at)))
    for (const [at, it] of answers.entries())
      if (some[at]!.by === 'proxy' && silent < patience) silent = 'unheard' in it || it.status === 0 ? silent + 1 : 0
    seen.push(...answers)
  }
  return seen
}

/** What the proxies wrote down, by the number of the question: each came with an agent of its own. */
const loggedOf = async (staged: Staged, { logs, mark }: Asking, count: number) => {
  const found = new Map<number, NonNullable<Logged>>()
  const finds = logs.flatMap(it => it.find ?? [])
  if (finds.length === 0 || count === 0) return found
  const read = (atLeast: number) => Promise.all(finds.map(find => find(mark, atLeast).catch(() => [] as string[])))
  let lines = await read(logs.length === 1 ? count : 1)
  // Several proxies share the questions, nobody knows how: until all together have them, and not for ever.
  for (let n = 0; n < 5 && logs.length > 1 && lines.flat().length < count; n++) {
    await sleep(500, undefined, { signal: staged.session.world.abort })
    lines = await read(1)
  }
  for (const text of lines.flat()) {
    const line = parseAuditLine(text)
    const number = line?.agent.startsWith(`${mark}-`)
      ? Number(line.agent.slice(mark.length + 1).split('-')[0])
      : Number.NaN
    if (!line?.verdict || Number.isNaN(number)) continue
    found.set(number, { verdict: line.verdict, rule: line.rule, revision: line.revision })
  }
  return found
}

const spoken = (seen: Seen): string => {
  if ('unheard' in seen) return 'not asked'
  const { status, refusal, connected, exit } = seen
  if (status > 0) return `answered ${status}${refusal ? ` ${refusal}` : ''}`
  if (connected) return `connected, no answer (curl exit ${exit})`
  return exit === 7
    ? 'no connection: refused'
    : exit === 28
      ? 'no connection: timed out'
      : `no answer (curl exit ${exit})`
}

const findingOf = (it: Verdict): Finding =>
  it.verdict === 'pass'
    ? { verdict: 'holds', why: '' }
    : { verdict: it.verdict === 'fail' ? 'fails' : 'unclear', why: it.reason }
