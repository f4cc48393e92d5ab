import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { innerOf } from '../../playbooks/configure.ts'
import { Problem } from '../engine/problem.ts'
import { readProxyFacts } from '../hosts/proxy-facts.ts'
import type { Tenant } from '../inventory/context.ts'
import { parseAuditLine } from '../policy/audit-line.ts'
import { policyOf } from '../policy/entries.ts'
import { policyText } from '../policy/policy-file.ts'
import { samplesOf } from '../policy/samples.ts'
import {
  type Evidence,
  type EvidenceAddress,
  type EvidenceProxy,
  type EvidenceSample,
  type Finding,
  verdictOf,
} from '../report/evidence.ts'
import { askSample, judgeSample, type Logged, type Seen } from '../rollout/ask-sample.ts'
import type { Verdict } from '../rollout/measure.ts'
import { addressIn, createProbes, type Probes } from '../rollout/probe.ts'
import type { Subject } from '../rollout/subject.ts'
import type { Pod } from '../rollout/workload.ts'
import { hostOf, kubeOf, searchLog, subjectOf } from './gates.ts'
import type { Staged } from './staged.ts'

/** So many questions of one pod at a time. */
const together = 4

/** Asks everything about one tenant's way out. Changes nothing; what could not be asked is said, never left out. */
export const gatherEvidence = async (staged: Staged, tenant: Tenant): Promise<Evidence> => {
  const { session } = staged
  const { context, run } = session
  const began = new Date().toISOString()
  const policy = policyOf(context, tenant)
  const subject = subjectOf(staged, { tenant, workload: tenant.rollout.canary })
  const probes = createProbes(kubeOf(staged), { auditLog: async () => null, signal: session.world.abort })
  const pod = (await probes.pods(subject))?.[0]
  if (!pod) throw nobody(subject)
  const sha256 = hashOf(policyText(policy))
  const mark = `evidence-${run.replace(/[^a-z0-9-]/gi, '')}-${tenant.tenant}`
  const [proxies, addresses] = await Promise.all([
    Promise.all(tenant.egress.proxies.map((_, at) => proxyFacts(staged, tenant, subject, at, sha256))),
    addressesSeen(subject, probes, pod),
  ])
  const samples = await samplesSeen(staged, { tenant, subject, probes, pod, mark })
  const { namespace, name } = { namespace: '', ...pod.metadata }
  return {
    format: 'kapsule-egress-evidence/1',
    ...{ tenant: tenant.tenant, context: context.context },
    ...verdictOf([...proxies, ...addresses, ...samples]),
    ...{ began, ended: new Date().toISOString(), madeBy: madeBy(staged), inventory: inventoryOf(staged) },
    policy: { mode: policy.mode, rules: policy.rules.length, sha256 },
    asked: {
      ...{ namespace, pod: name, workload: `${subject.workload.kind} ${subject.workload.name}` },
      node: (pod.spec as { nodeName?: string }).nodeName ?? '-',
    },
    ...{ proxies, addresses, samples },
  }
}

const addressesSeen = (subject: Subject, probes: Probes, pod: Pod): Promise<EvidenceAddress[]> => {
  const { proxies, echo } = subject
  const fixed = proxies.map(it => it.publicIp)
  // A pod's own environment, as its programs use it; and, where there are several, each proxy by itself.
  const ways = [
    { by: 'as the pod is set up', args: [] as string[], expected: fixed },
    ...(proxies.length > 1 ? proxies : []).map(({ address, port, publicIp }) => ({
      ...{ by: `${address}:${port}`, expected: [publicIp] },
      args: ['--noproxy', '', '--proxy', `http://${address}:${port}`],
    })),
  ]
  return Promise.all(
    ways.flatMap(({ by, args, expected }) =>
      echo.map(async service => {
        const answer = await probes.curl(pod, [...args, '--fail', service])
        const seen = 'unheard' in answer || answer.code !== 0 ? null : addressIn(answer.stdout)
        const why = 'unheard' in answer ? answer.unheard : `curl exit ${answer.code} ${answer.stderr.trim()}`
        const finding: Finding = seen
          ? {
              verdict: expected.includes(seen) ? 'holds' : 'fails',
              why: expected.includes(seen) ? '' : 'another address',
            }
          : { verdict: 'unclear', why }
        return { service, by, expected, seen, ...finding }
      }),
    ),
  )
}

type Asking = { tenant: Tenant; subject: Subject; probes: Probes; pod: Pod; mark: string }

const samplesSeen = async (
  staged: Staged,
  { tenant, subject, probes, pod, mark }: Asking,
): Promise<EvidenceSample[]> => {
  const { context } = staged.session
  const { echo, forbidden, proxies } = subject
  const policy = policyOf(context, tenant)
  const samples = samplesOf({ policy, proxies, echo, forbidden, inner: innerOf(context) })
  const seen: Seen[] = []
  for (let n = 0; n < samples.length; n += together)
    seen.push(
      ...(await Promise.all(
        samples.slice(n, n + together).map(({ method, url, by }, at) => {
          const proxy = by === 'proxy' ? subject.proxy : null
          return askSample(probes, pod, { method, url, by: proxy, agent: `${mark}-${n + at}-` })
        }),
      )),
    )
  const logged = await loggedOf(staged, tenant, mark, samples.filter(it => it.by === 'proxy').length)
  return samples.map(({ kind, method, url, by, expected, why }, n) => {
    const line = logged.get(n) ?? null
    return {
      ...{ kind, method, url, by: by === 'proxy' ? 'by the proxy' : 'straight', expected, because: why },
      ...{ seen: spoken(seen[n]!), logged: line, ...findingOf(judgeSample(expected, seen[n]!, line)) },
    }
  })
}

/** What the proxies wrote down, by the number of the question: each came with an agent of its own. */
const loggedOf = async (staged: Staged, { egress }: Tenant, mark: string, count: number) => {
  const hosts = egress.proxies.flatMap(it => hostOf(staged, it.name) ?? [])
  const read = (atLeast: number) =>
    Promise.all(hosts.map(it => searchLog(staged, it, mark, atLeast).catch(() => [] as string[])))
  let lines = await read(hosts.length === 1 ? count : 1)
  // Several proxies share the questions, nobody knows how: until all together have them, and not for ever.
  for (let n = 0; n < 5 && hosts.length > 1 && lines.flat().length < count; n++) {
    await sleep(500, undefined, { signal: staged.session.world.abort })
    lines = await read(1)
  }
  const found = new Map<number, NonNullable<Logged>>()
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

/** A proxy holds when what it decides by is what the inventory says, behind a firewall that is on. */
const proxyFacts = async (
  staged: Staged,
  { tenant, egress }: Tenant,
  subject: Subject,
  at: number,
  sha256: string,
): Promise<EvidenceProxy> => {
  const { name } = egress.proxies[at]!
  const base = { name, fixedAddress: subject.proxies[at]?.publicIp ?? '' }
  const host = hostOf(staged, name)
  try {
    if (!host) throw new Problem(`${name} does not stand`, { why: 'it was not made yet', next: 'deploy first' })
    const { policies, ...facts } = await readProxyFacts(staged.session.clients.ssh, host, staged.session.world.abort)
    const mine = policies[tenant] ?? { revision: '-', inForce: '-', sha256: '-' }
    const wrong = [
      ...(mine.sha256 === sha256 ? [] : ['its policy is not the one of the inventory']),
      ...(mine.inForce === mine.revision ? [] : ['its policy is not in force']),
      ...(facts.firewall === 'active' ? [] : ['its firewall is not on']),
    ]
    const { revision, inForce } = mine
    return {
      ...base,
      ...{ facts: { ...facts, revision, inForce, policy: mine.sha256 }, problem: null },
      ...{ verdict: wrong.length > 0 ? 'fails' : 'holds', why: wrong.join('; ') },
    }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const why = `${error.message}: ${error.why}`
    return { ...base, facts: null, problem: why, verdict: 'unclear', why }
  }
}

const madeBy = ({ session: { root } }: Staged): Evidence['madeBy'] => {
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return {
    ...{ user: userInfo().username, host: hostname(), software: `${name} ${version}`, node: process.versions.node },
    command: '60-verify.mjs --evidence',
  }
}

/** Of the files that the context is made of; secrets, which are encrypted there, go in by their hash as the rest. */
const inventoryOf = ({ session: { root, context } }: Staged): Evidence['inventory'] => {
  const directory = join(root, 'inventory', context.context)
  const names = existsSync(directory) ? readdirSync(directory, { recursive: true, encoding: 'utf8' }) : []
  const files = names
    .filter(it => /\.(ya?ml|json|ini)$/.test(it))
    .sort()
    .map(file => ({ file, sha256: hashOf(readFileSync(join(directory, file))) }))
  return { sha256: hashOf(files.map(it => `${it.sha256}  ${it.file}\n`).join('')), files }
}

export const hashOf = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex')

const nobody = ({ namespace, workload }: Subject) =>
  new Problem(`there is no pod of ${namespace}/${workload.name} to ask from`, {
    why: 'evidence is what a pod of the tenant sees, and its canary has none',
    next: 'status.mjs says what stands; deploy.mjs makes it',
  })
