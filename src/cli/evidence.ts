import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { groundOf } from '../../playbooks/rollout.ts'
import { makePlan } from '../engine/plan.ts'
import { Problem } from '../engine/problem.ts'
import { countChanges } from '../engine/step.ts'
import type { HostAddress } from '../hosts/address.ts'
import { factsIn, type ProxyFacts, readProxyFacts } from '../hosts/proxy-facts.ts'
import { isGateway, type Tenant } from '../inventory/context.ts'
import { policyOf } from '../policy/entries.ts'
import { policyText } from '../policy/policy-file.ts'
import {
  type Evidence,
  type EvidenceAddress,
  type EvidenceNamespace,
  type EvidenceProxy,
  type Finding,
  verdictOf,
} from '../report/evidence.ts'
import type { Subject } from '../rollout/gates/subject.ts'
import { readGatewayFacts, readGatewayWall } from '../rollout/gateway-pod/facts.ts'
import { gatewayName } from '../rollout/gateway-pod/manifests.ts'
import { gatewayPods } from '../rollout/gateway-pod/pods.ts'
import { OWN_NAMESPACE } from '../rollout/guard/rule.ts'
import { survey } from '../rollout/guard/survey.ts'
import { proxyUrl } from '../rollout/no-proxy.ts'
import { addressIn, createProbes, noLogs, type Probes } from '../rollout/probe.ts'
import type { Pod } from '../rollout/workload.ts'
import { proxiesIn } from './audit-hosts.ts'
import { inGateway, type Log, onHost, samplesSeen, type Unheard } from './evidence-samples.ts'
import { outputsOf } from './outputs.ts'
import { kubeOf, subjectOf } from './rollout/gates.ts'
import type { Session } from './session.ts'
import type { Staged } from './staged.ts'
import { hostsAlone, siteOf } from './stages.ts'

/** Where everything is. Proxies and cluster are asked nothing yet: a report of what is away is worth most. */
export const seeCloud = async (session: Session): Promise<Staged> => {
  const site = siteOf(session)
  const alone = hostsAlone(session.context, ['configure']) && session.context.cluster.kubeconfig !== undefined
  const plan = await makePlan(alone ? [] : site.cloud, session.world)
  const projectId = alone ? '' : (await session.clients.scaleway()).projectId
  const staged: Staged = { session, site, plan, projectId, stages: [], counts: countChanges([]), orphans: [] }
  session.output.know({ outputs: outputsOf(staged) })
  return staged
}

/** Asks everything about one tenant's way out. Changes nothing; what could not be asked is said, never left out. */
export const gatherEvidence = async (staged: Staged, tenant: Tenant): Promise<Evidence> => {
  const { session } = staged
  const { context, run } = session
  const began = new Date().toISOString()
  const policy = policyOf(context, tenant)
  const subject = subjectOf(staged, { tenant, workload: tenant.rollout.canary })
  const probes = createProbes(kubeOf(staged), { ...noLogs, signal: session.world.abort })
  const sha256 = hashOf(policyText(policy))
  const mark = `evidence-${run.replace(/[^a-z0-9-]/gi, '')}-${tenant.tenant}`
  const hosts = new Map(proxiesIn(staged).map(it => [it.name, it.host]))
  const pod = await podOf(subject, probes)
  const [proxies, addresses, namespaces] = await Promise.all([
    isGateway(tenant)
      ? gatewayFacts(staged, tenant.tenant, { fixedAddress: subject.proxies[0]?.publicIp ?? '', sha256 })
      : Promise.all(
          tenant.egress.proxies.map(({ name }, at) => {
            const fixedAddress = subject.proxies[at]?.publicIp ?? ''
            return proxyFacts(staged, tenant, { name, fixedAddress, host: hosts.get(name) ?? null, sha256 })
          }),
        ),
    addressesSeen(subject, probes, pod),
    Promise.all([tenant.namespace, OWN_NAMESPACE].map(it => namespaceSeen(staged, it))),
  ])
  const logs: Log[] = isGateway(tenant)
    ? [{ name: gatewayName(tenant.tenant), find: inGateway(staged, tenant.tenant) }]
    : proxies.map(({ name, facts }) => ({ name, find: facts ? onHost(staged, hosts.get(name)!) : null }))
  const samples = await samplesSeen(staged, { tenant, subject, probes, pod, mark, logs })
  return {
    format: 'kapsule-egress-evidence/1',
    ...{ tenant: tenant.tenant, context: context.context },
    ...verdictOf([...proxies, ...addresses, ...samples, ...namespaces]),
    ...{ began, ended: new Date().toISOString(), madeBy: madeBy(staged), inventory: inventoryOf(staged) },
    policy: { mode: policy.mode, rules: policy.rules.length, sha256 },
    asked: {
      ...{ namespace: subject.namespace, workload: `${subject.workload.kind} ${subject.workload.name}` },
      pod: 'unheard' in pod ? '-' : pod.metadata.name,
      node: 'unheard' in pod ? '-' : ((pod.spec as { nodeName?: string }).nodeName ?? '-'),
    },
    ...{ proxies, addresses, samples, namespaces },
  }
}

/** A running pod of the canary, which all questions come from. */
const podOf = async (subject: Subject, probes: Probes): Promise<Pod | Unheard> => {
  try {
    const [pod] = (await probes.pods(subject)) ?? []
    return pod ?? { unheard: `there is no pod of ${subject.namespace}/${subject.workload.name} to ask from` }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { unheard: `no pod could be asked: ${error.message}: ${error.why}` }
  }
}

const addressesSeen = (subject: Subject, probes: Probes, pod: Pod | Unheard): Promise<EvidenceAddress[]> => {
  const { proxies, echo } = subject
  const fixed = proxies.map(it => it.publicIp)
  // A pod's own environment, as its programs use it; and, where there are several, each proxy by itself.
  const ways = [
    { by: 'as the pod is set up', args: [] as string[], expected: fixed },
    ...(proxies.length > 1 ? proxies : []).map(({ publicIp, ...at }) => ({
      ...{ by: `${at.address}:${at.port}`, expected: [publicIp] },
      args: ['--noproxy', '', '--proxy', proxyUrl(at)],
    })),
  ]
  return Promise.all(
    ways.flatMap(({ by, args, expected }) =>
      echo.map(async service => {
        const answer = 'unheard' in pod ? pod : await probes.curl(pod, [...args, '--fail', service])
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

/** Holds when everything in it could be looked at, and nothing is what must never be. */
const namespaceSeen = async (staged: Staged, namespace: string): Promise<EvidenceNamespace> => {
  const { context } = staged.session
  try {
    const { found, unseen } = await survey(kubeOf(staged), namespace, groundOf(context, context.tenants))
    const told = found.map(({ object, what, why }) => ({ object, what, why }))
    const why = [...found.map(it => `${it.object}: ${it.why}`), ...unseen.map(it => `not looked at: ${it}`)].join('; ')
    const verdict = found.length > 0 ? 'fails' : unseen.length > 0 ? 'unclear' : 'holds'
    return { namespace, found: told, verdict, why }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { namespace, found: [], verdict: 'unclear', why: `${error.message}: ${error.why}` }
  }
}

type Asked = { name: string; fixedAddress: string; host: HostAddress | null; sha256: string }

/** A proxy holds when what it decides by is what the inventory says, behind a firewall that is on. */
const proxyFacts = async (
  { session: { clients, world } }: Staged,
  { tenant }: Tenant,
  { name, fixedAddress, host, sha256 }: Asked,
): Promise<EvidenceProxy> => {
  const base = { name, fixedAddress }
  try {
    if (!host) throw new Problem(`${name} does not stand`, { why: 'it was not made yet', next: 'deploy first' })
    return { ...base, ...judged(await readProxyFacts(clients.ssh, host, world.abort), tenant, sha256) }
  } catch (error) {
    return { ...base, ...unasked(error) }
  }
}

/** The same of each pod of a gateway, behind a NetworkPolicy. */
const gatewayFacts = async (
  staged: Staged,
  tenant: string,
  { fixedAddress, sha256 }: Pick<Asked, 'fixedAddress' | 'sha256'>,
): Promise<EvidenceProxy[]> => {
  const kube = kubeOf(staged)
  try {
    const [wall, all] = await Promise.all([readGatewayWall(kube, tenant), gatewayPods(kube, tenant)])
    const pods = all.filter(it => !it.leaving)
    const none = new Problem(`${gatewayName(tenant)} has no pods`, { why: 'it was not made yet', next: 'deploy first' })
    if (pods.length === 0) return [{ ...{ name: gatewayName(tenant), fixedAddress }, ...unasked(none) }]
    const wallFacts = { ufw: 'none: a NetworkPolicy', firewall: wall ? 'active' : '', ufwRules: wall?.sha256 ?? '' }
    return await Promise.all(
      pods.map(async ({ name }): Promise<EvidenceProxy> => {
        try {
          const { stdout } = await readGatewayFacts(kube, tenant, name, staged.session.world.abort)
          return { ...{ name, fixedAddress }, ...judged({ ...factsIn(stdout), ...wallFacts }, tenant, sha256) }
        } catch (error) {
          return { ...{ name, fixedAddress }, ...unasked(error) }
        }
      }),
    )
  } catch (error) {
    return [{ ...{ name: gatewayName(tenant), fixedAddress }, ...unasked(error) }]
  }
}

type Judged = Omit<EvidenceProxy, 'name' | 'fixedAddress'>

const judged = ({ policies, ...facts }: ProxyFacts, tenant: string, sha256: string): Judged => {
  const mine = policies[tenant] ?? { revision: '-', inForce: '-', sha256: '-' }
  const wrong = [
    ...(mine.sha256 === sha256 ? [] : ['its policy is not the one of the inventory']),
    ...(mine.inForce === mine.revision ? [] : ['its policy is not in force']),
    ...(facts.firewall === 'active' ? [] : ['its firewall is not on']),
  ]
  const { revision, inForce } = mine
  return {
    ...{ facts: { ...facts, revision, inForce, policy: mine.sha256 }, problem: null },
    ...{ verdict: wrong.length > 0 ? 'fails' : 'holds', why: wrong.join('; ') },
  }
}

const unasked = (error: unknown): Judged => {
  if (!(error instanceof Problem)) throw error
  const why = `${error.message}: ${error.why}`
  return { facts: null, problem: why, verdict: 'unclear', why }
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
