import type { Problem } from '../engine/problem.ts'
import type { Document, Path } from './document.ts'
import { excluded, overlap, placeIn, withoutHostBits } from './ranges.ts'
import type { ContextFile, TenantFile } from './schema.ts'

type Found<T> = { document: Document; file: T }

/** What one file of a context must say that its schema alone cannot know. */
export const checkContext = ({ document, file }: Found<ContextFile>, folder: string): Problem[] => {
  const problems: Problem[] = []
  const say = (path: Path, what: string, why: string, next: string) =>
    problems.push(document.problem(path, what, why, next))
  const { privateNetwork } = file.network
  const ranges = [
    { path: ['network', 'privateNetwork', 'cidr'], cidr: privateNetwork.cidr },
    { path: ['cluster', 'podCidr'], cidr: file.cluster.podCidr },
    { path: ['cluster', 'serviceCidr'], cidr: file.cluster.serviceCidr },
  ]
  if (file.context !== folder) {
    say(
      ['context'],
      `context ${file.context} stands in the folder ${folder}`,
      'a context is named like its folder',
      `write ${folder}`,
    )
  }
  if (!file.scaleway.zone.startsWith(`${file.scaleway.region}-`)) {
    say(
      ['scaleway', 'zone'],
      `zone ${file.scaleway.zone} is not in ${file.scaleway.region}`,
      'a zone belongs to its region',
      `use ${file.scaleway.region}-1, or another region`,
    )
  }
  for (const { path, cidr } of ranges) {
    const right = withoutHostBits(cidr)
    if (right) say(path, `${cidr} names a host inside its range`, 'host bits are set', `write ${right}`)
  }
  const bad = excluded.find(it => overlap(it, privateNetwork.cidr))
  if (bad)
    say(
      ranges[0]!.path,
      `${privateNetwork.cidr} cannot be a private network`,
      `Scaleway keeps ${bad}`,
      'take a range of 10/8, 172.16/12 or 192.168/16',
    )
  for (const [at, one] of ranges.entries()) {
    const other = ranges.slice(0, at).find(it => overlap(it.cidr, one.cidr))
    if (other)
      say(
        one.path,
        `${one.cidr} overlaps ${other.path.join('.')} ${other.cidr}`,
        'addresses would be ambiguous',
        'choose ranges apart',
      )
  }
  const names = file.cluster.pools.map(it => it.name)
  for (const [at, name] of names.entries()) {
    if (names.indexOf(name) < at)
      say(['cluster', 'pools', at, 'name'], `two pools are named ${name}`, 'pools are known by name', 'rename one')
  }
  return problems
}

/** What a tenant must say, alone and among the others. */
export const checkTenants = (context: ContextFile | undefined, all: readonly Found<TenantFile>[]): Problem[] => {
  const problems: Problem[] = []
  const taken = new Map<string, string>((context?.cluster.pools ?? []).map(it => [`pool ${it.name}`, 'the context']))
  for (const { document, file } of all) {
    const say = (path: Path, what: string, why: string, next: string) =>
      problems.push(document.problem(path, what, why, next))
    const fileName = document.file
      .split('/')
      .at(-1)
      ?.replace(/\.ya?ml$/, '')
    if (file.tenant !== fileName) {
      say(
        ['tenant'],
        `tenant ${file.tenant} stands in the file ${fileName}`,
        'a tenant is named like its file',
        `write ${fileName}, or rename the file`,
      )
    }
    for (const [path, what] of [
      [['namespace'], `namespace ${file.namespace}`],
      [['pool', 'name'], `pool ${file.pool.name}`],
      [['egress', 'proxy', 'name'], `proxy ${file.egress.proxy.name}`],
      [['egress', 'proxy', 'privateIp'], `address ${file.egress.proxy.privateIp}`],
    ] as const) {
      const owner = taken.get(what)
      if (owner) say(path, `${what} is taken by ${owner}`, 'each tenant has its own', 'choose another')
      taken.set(what, file.tenant)
    }
    if (context) problems.push(...checkAddress({ document, file }, context))
    if (file.egress.via === 'gateway-pod') {
      say(['egress', 'via'], 'gateway-pod is not built yet', 'only the proxy-vm data plane is', 'write proxy-vm')
    }
    if (file.rollout.externalAllowlist) {
      say(
        ['rollout', 'externalAllowlist'],
        'externalAllowlist is not built yet',
        "the partner's firewall has to be changed by hand",
        'leave it out',
      )
    }
    problems.push(...checkAllow({ document, file }), ...checkRollout({ document, file }))
  }
  return problems
}

const checkAddress = ({ document, file }: Found<TenantFile>, { network }: ContextFile): Problem[] => {
  const { privateIp } = file.egress.proxy
  const { cidr } = network.privateNetwork
  const place = placeIn(privateIp, cidr)
  if (place === 'free') return []
  const why =
    place === 'outside' ? `the private network is ${cidr}` : 'the first two and the last two addresses are reserved'
  return [
    document.problem(
      ['egress', 'proxy', 'privateIp'],
      `${privateIp} cannot be the proxy's address`,
      why,
      `choose another one in ${cidr}`,
    ),
  ]
}

const checkAllow = ({ document, file }: Found<TenantFile>): Problem[] => {
  const { allow } = file.egress
  const key = ({ domain, ports }: (typeof allow)[number]) => `${domain} ${ports?.join() ?? ''}`
  return allow.flatMap((entry, at) => {
    const path = ['egress', 'allow', at, 'domain']
    if (allow.findIndex(it => key(it) === key(entry)) < at) {
      return [document.problem(path, `${entry.domain} is there twice`, 'the second says nothing new', 'remove one')]
    }
    const cover = allow.find(
      it =>
        it !== entry &&
        it.domain.startsWith('.') &&
        key({ ...it, domain: '' }) === key({ ...entry, domain: '' }) &&
        `.${entry.domain}`.endsWith(it.domain),
    )
    return cover
      ? [
          document.problem(
            path,
            `${entry.domain} is covered by ${cover.domain}`,
            'Squid refuses lists with both',
            'remove one',
          ),
        ]
      : []
  })
}

const checkRollout = ({ document, file }: Found<TenantFile>): Problem[] => {
  const { canary, then } = file.rollout
  const problems: Problem[] = []
  const percents = then.batches.map(it => Number.parseInt(it, 10))
  const rising = percents.every((it, at) => it > (percents[at - 1] ?? 0)) && percents.at(-1) === 100
  if (!rising) {
    problems.push(
      document.problem(
        ['rollout', 'then', 'batches'],
        `${then.batches.join(', ')} is no way to 100%`,
        'batches are cumulative, rise, and end with 100%',
        'e.g. [25%, 100%]',
      ),
    )
  }
  if (file.workloads && !file.workloads.some(it => it.kind === canary.kind && it.name === canary.name)) {
    problems.push(
      document.problem(
        ['rollout', 'canary'],
        `the canary ${canary.name} is none of the workloads`,
        `they are ${file.workloads.map(it => it.name).join(', ')}`,
        'name one of them, or add it',
      ),
    )
  }
  return problems
}
