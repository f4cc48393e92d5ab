import type { Problem } from '../engine/problem.ts'
import { freeIn } from '../engine/ranges.ts'
import { checkCertificates, type From, type Named } from './certificates.ts'
import { checkAllowlist } from './check-allowlist.ts'
import { checkExisting, checkMachines } from './check-existing.ts'
import { checkGates } from './check-gates.ts'
import { checkGateway } from './check-gateway.ts'
import { checkGroups, checkMembership } from './check-groups.ts'
import { checkBastion, checkNetworkName, checkOperators, checkRanges, checkRoom } from './check-network.ts'
import { checkPolicy, checkSharedPolicy } from './check-policy.ts'
import { checkPools, checkPoolType, checkScaling } from './check-pools.ts'
import { checkOrder } from './check-rollout.ts'
import { checkShared, type Machines, noteScaling } from './check-shared.ts'
import { checkTenantZones, checkZones } from './check-zones.ts'
import type { Document, Path } from './document.ts'
import { checkProxies, proxiesAt } from './proxies.ts'
import { placeIn } from './ranges.ts'
import { checkEcho, checkWitnesses } from './reach.ts'
import { gather, type Say } from './say.ts'
import type { ContextFile } from './schema-context.ts'
import type { TenantFile } from './schema-tenant.ts'
import type { Parts } from './validate.ts'
import { zonesOf } from './words.ts'

type Found<T> = { document: Document; parts: Parts<T> }

/** What one context file must say that its schema alone cannot know. */
export const checkContext = (
  { document, parts }: Found<ContextFile>,
  tenants: readonly Parts<TenantFile>[],
  folder: string,
): Problem[] =>
  gather(document, say => {
    const { context, scaleway } = parts
    if (context !== undefined && context !== folder) {
      say(
        ['context'],
        `context ${context} stands in the folder ${folder}`,
        'a context is named like its folder',
        `write ${folder}`,
      )
    }
    if (scaleway?.zone && scaleway.region && !scaleway.zone.startsWith(`${scaleway.region}-`)) {
      const next = `use ${zonesOf(scaleway.region).join(', ')}, or another region`
      const what = `zone ${scaleway.zone} is not in ${scaleway.region}`
      say(['scaleway', 'zone'], what, 'a zone belongs to its region', next)
    }
    checkExisting(parts, say)
    checkZones(parts, say)
    checkRanges(parts, say)
    checkRoom(parts, tenants, say)
    checkNetworkName(parts, say)
    checkOperators(parts, say)
    checkBastion(parts, say)
    checkPools(parts, tenants, say)
    checkGroups(parts, tenants, say)
    checkOrder(parts, tenants, say)
    checkSharedPolicy(parts, say)
    checkBecome(parts, say)
  })

/** What stops nobody and says nothing: entries that are over, or that another file covers. */
export const warningsOf = (context: Found<ContextFile>, tenants: readonly Found<TenantFile>[]): Problem[] => [
  ...gather(context.document, say => {
    checkSharedPolicy(context.parts, say, true)
    checkWitnesses(context.parts, say)
  }),
  ...tenants.flatMap(({ document, parts }) =>
    gather(document, say => {
      checkPolicy(context.parts, parts, say, true)
      noteScaling(
        parts,
        tenants.map(it => it.parts),
        say,
      )
    }),
  ),
]

/** What a tenant must say, alone and among the others. */
export const checkTenants = (context: Parts<ContextFile>, all: readonly Found<TenantFile>[], from: From): Problem[] => {
  const taken = new Map((context.cluster?.pools ?? []).map(it => [`pool ${it?.name}`, 'the context']))
  const machines: Machines = new Map()
  const named: Named = new Map()
  return all.flatMap(({ document, parts }) =>
    gather(document, say => {
      checkNames(document, parts, say)
      checkTaken(parts, taken, machines, say)
      checkShared(context, parts, machines, say)
      checkProxies(parts, say)
      for (const it of proxiesAt(parts)) checkAddress(it, context.network?.privateNetwork?.cidr, taken, say)
      checkScaling(['pool'], parts.pool, say)
      if (!context.cluster?.kubeconfig) checkPoolType(['pool', 'type'], parts.pool?.type, say)
      checkTenantZones(context, parts, say)
      checkMembership(context, parts, say)
      checkMachines(context, parts, say)
      checkGateway(context, parts, say)
      checkReserved(parts, say)
      checkCertificates(parts, named, from, say)
      checkPolicy(context, parts, say)
      checkEcho(context, parts, say)
      checkRollout(parts, say)
      checkGates(parts, say)
      checkAllowlist(parts, say)
    }),
  )
}

const checkBecome = ({ ssh }: Parts<ContextFile>, say: Say) => {
  if (!ssh?.become || (ssh.user ?? 'root') !== 'root') return
  const why = 'who logs in as root becomes nobody else'
  say(['ssh', 'become'], 'root has no password for sudo', why, 'name another ssh.user, or leave become out')
}

const checkNames = ({ file }: Document, { tenant }: Parts<TenantFile>, say: Say) => {
  const named = file
    .split('/')
    .at(-1)
    ?.replace(/\.ya?ml$/, '')
  if (tenant === undefined || tenant === named) return
  say(
    ['tenant'],
    `tenant ${tenant} stands in the file ${named}`,
    'a tenant is named like its file',
    `write ${named}, or rename the file`,
  )
}

const checkReserved = ({ tenant, namespace }: Parts<TenantFile>, say: Say) => {
  if (tenant === 'control-plane' || tenant === 'master') {
    const why = `the taint node-role.kubernetes.io/${tenant} has a meaning of its own`
    say(['tenant'], `tenant ${tenant} would take a name of Kubernetes`, why, 'choose another name')
  }
  if (namespace && (namespace === 'default' || namespace === 'egress-system' || namespace.startsWith('kube-'))) {
    const why = 'a tenant has its namespace for itself'
    say(['namespace'], `namespace ${namespace} belongs to the cluster`, why, 'choose another namespace')
  }
}

const checkTaken = (file: Parts<TenantFile>, taken: Map<string, string>, machines: Machines, say: Say) => {
  const { tenant, namespace, pool } = file
  const owned: { path: Path; what: string; value: string | undefined }[] = [
    { path: ['namespace'], what: 'namespace', value: namespace },
    { path: ['pool', 'name'], what: 'pool', value: pool?.name },
    // Of a machine that other tenants are on, too, these are told there.
    ...proxiesAt(file).flatMap(({ path, proxy: { name, privateIp, flexibleIp } }) => [
      ...(machines.get(name ?? '')?.some(it => it.file.tenant !== tenant)
        ? []
        : [
            { path: [...path, 'name'], what: 'proxy', value: name },
            { path: [...path, 'privateIp'], what: 'address', value: privateIp },
          ]),
      { path: [...path, 'flexibleIp'], what: 'public address', value: flexibleIp },
    ]),
  ]
  for (const { path, what, value } of owned) {
    if (value === undefined) continue
    const key = `${what} ${value}`
    // A proxy's own public address has the proxy's name.
    const owner =
      taken.get(key) ??
      (what === 'public address' ? taken.get(`proxy ${value}`) : undefined) ??
      (what === 'proxy' ? taken.get(`public address ${value}`) : undefined)
    if (owner && owner === tenant) say(path, `${key} is there twice`, 'each proxy has its own', 'choose another')
    else if (owner) say(path, `${key} is taken by ${owner}`, 'each tenant has its own', 'choose another')
    else taken.set(key, tenant ?? 'another tenant')
  }
}

const checkAddress = (
  { path, proxy }: ReturnType<typeof proxiesAt>[number],
  cidr: string | undefined,
  taken: ReadonlyMap<string, string>,
  say: Say,
) => {
  const address = proxy.privateIp
  if (!address || !cidr) return
  const place = placeIn(address, cidr)
  if (place === 'free') return
  const why =
    place === 'outside' ? `the private network is ${cidr}` : 'the first two and the last two addresses are reserved'
  const free = freeIn(cidr, it => taken.has(`address ${it}`))
  say(
    [...path, 'privateIp'],
    `${address} cannot be the proxy's address`,
    why,
    `choose another one in ${cidr}${free ? `, e.g. ${free}` : ''}`,
  )
}

const checkRollout = ({ rollout, workloads, selectors }: Parts<TenantFile>, say: Say) => {
  const batches = rollout?.then?.batches ?? []
  const shares = batches.flatMap(it => (/%$/.test(String(it)) ? [Number.parseInt(String(it), 10)] : []))
  const counts = batches.flatMap(it => (/^\d+$/.test(String(it)) ? [Number(it)] : []))
  const rises = (all: number[]) => all.every((it, at) => it > (all[at - 1] ?? 0))
  const whole = String(batches.at(-1)) === '100%'
  if (
    shares.length + counts.length === batches.length &&
    batches.length > 0 &&
    !(rises(shares) && rises(counts) && whole)
  ) {
    const why = 'batches are cumulative, rise, and end with 100%'
    say(['rollout', 'then', 'batches'], `${batches.join(', ')} is no way to 100%`, why, 'e.g. [25%, 100%]')
  }
  const called = ({ kind, name }: { kind?: string | undefined; name?: string | undefined }) => `${kind} ${name}`
  const known = (workloads ?? []).map(it => it && called(it))
  for (const [at, it] of (workloads ?? []).entries()) {
    if (it?.demo && it.kind && it.kind !== 'Deployment')
      say(['workloads', at, 'demo'], `a demo ${it.kind} is not made`, 'a demo is a Deployment', 'leave demo out')
    if (!it?.name || known.indexOf(called(it)) === at) continue
    say(['workloads', at, 'name'], `workload ${called(it)} is there twice`, 'a workload moves once', 'remove one')
  }
  const canary = rollout?.canary
  if (canary?.kind === 'Job')
    say(['rollout', 'canary'], 'a Job is no canary', 'what was started is left to finish', 'name another workload')
  if (!canary?.name || !canary.kind || !workloads || selectors || workloads.some(it => !it?.name)) return
  if (known.includes(called(canary))) return
  const why = `they are ${known.join(', ')}`
  say(
    ['rollout', 'canary'],
    `the canary ${called(canary)} is none of the workloads`,
    why,
    'name one of them, or add it',
  )
}
