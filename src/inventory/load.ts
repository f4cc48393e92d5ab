import { readdir, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join, relative } from 'node:path'
import { nearest } from '../engine/nearest.ts'
import { Problem, Problems } from '../engine/problem.ts'
import { type Machine, machineOf } from './ansible/login.ts'
import { type AnsibleInventory, readAnsible } from './ansible/read.ts'
import { certificatesOf, type From } from './certificates.ts'
import { gatewayOf } from './check-gateway.ts'
import { checkContext, checkTenants, warningsOf } from './checks.ts'
import type { Context, ProxyHost, Tenant } from './context.ts'
import { type Document, type Path, readDocument } from './document.ts'
import type { ProxyFile } from './proxies.ts'
import { type ContextFile, contextSchema } from './schema-context.ts'
import { type TenantFile, tenantSchema } from './schema-tenant.ts'
import { validate } from './validate.ts'

/** One context, and a Problem at the place of any of its values: what only the API can know is told with its line. */
export type Inventory = { context: Context; problemAt: ProblemAt; warnings: Problem[] }

/** `tenant` null: in context.yaml. */
export type Place = { tenant: string | null; path: Path }
export type ProblemAt = (place: Place, what: string, why: string, next: string) => Problem

type Where = { root: string; env?: NodeJS.ProcessEnv }

/** Reads and checks one context. Throws every mistake of all its files at once, as Problems with exit 2. */
export const loadContext = async (name: string, where: Where): Promise<Context> =>
  (await loadInventory(name, where)).context

/** The same, with the places of its values. */
export const loadInventory = async (name: string, { root, env = process.env }: Where): Promise<Inventory> => {
  const folder = join(root, 'inventory', name)
  const document = await contextDocument(name, folder, root)
  const context = validate(document, contextSchema)
  const tenants = await Promise.all(
    (await yamlFiles(join(folder, 'tenants'))).map(async file => {
      const document = await read(file, root)
      return { document, ...validate(document, tenantSchema) }
    }),
  )
  const { scaleway, cluster } = context.parts
  const kubeconfig = cluster?.kubeconfig ?? exportedTo(scaleway?.config, root, env)
  const parts = { ...context.parts, cluster: { ...cluster, kubeconfig } }
  const problems = [
    ...context.problems,
    ...checkContext(
      { document, parts },
      tenants.map(it => it.parts),
      name,
    ),
    ...tenants.flatMap(it => it.problems),
    ...checkTenants(parts, tenants, placesIn(root)),
    ...(tenants.length === 0 ? [noTenants(folder, root)] : []),
  ]
  if (problems.length === 1) throw problems[0]
  if (problems.length > 1) throw new Problems(problems)
  const files = tenants.map(it => it.value!)
  return {
    context: freeze(complete(context.value!, files, root, env)),
    warnings: warningsOf({ document, parts }, tenants),
    problemAt: ({ tenant, path }, ...said) => {
      const found = tenants.find(it => it.value?.tenant === tenant)
      return (found?.document ?? document).problem(path, ...said)
    },
  }
}

const contextDocument = async (name: string, folder: string, root: string): Promise<Document> => {
  const known = await contexts(root)
  if (/^[a-z0-9][a-z0-9.-]*$/.test(name) && known.includes(name)) return read(join(folder, 'context.yaml'), root)
  const near = nearest(name, known)
  throw new Problem(`there is no context ${JSON.stringify(name)}`, {
    why: `inventory/ has ${known.join(', ') || 'none'}`,
    next: near ? `did you mean --context ${near}?` : 'make inventory/<context>/context.yaml',
    exit: 2,
  })
}

/** The contexts there are: folders with a context.yaml. */
export const contexts = async (root: string): Promise<string[]> => {
  const folders = await readdir(join(root, 'inventory'), { withFileTypes: true }).catch(() => [])
  const names = await Promise.all(
    folders
      .filter(it => it.isDirectory())
      .map(async it =>
        (await yamlFiles(join(root, 'inventory', it.name))).some(file => file.endsWith('/context.yaml'))
          ? [it.name]
          : [],
      ),
  )
  return names.flat().sort()
}

const yamlFiles = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder).catch(() => [])
  return names
    .filter(it => /\.ya?ml$/.test(it))
    .sort()
    .map(it => join(folder, it))
}

const read = async (file: string, root: string): Promise<Document> => {
  try {
    return readDocument(relative(root, file), await readFile(file, 'utf8'))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const next = 'make it a file that you may read'
    throw new Problem(`${relative(root, file)} cannot be read`, { why, next, exit: 2, cause })
  }
}

const placesIn =
  (root: string): From =>
  path => {
    const home = path.startsWith('~/') ? join(homedir(), path.slice(2)) : path
    return isAbsolute(home) ? home : join(root, home)
  }

/** Defaults that need more than one field, and paths as they are from anywhere. */
const complete = (file: ContextFile, tenants: TenantFile[], root: string, env: NodeJS.ProcessEnv): Context => {
  const from = placesIn(root)
  // Read when the first tenant asks for it, and once.
  let inventory: AnsibleInventory | undefined
  const inventoryOf = (path: string) => {
    inventory ??= readAnsible(from(path))
    return inventory
  }
  const { scaleway, ssh, cluster, verify, network } = file
  const { privateNetwork } = network
  const existing = cluster.kubeconfig ? from(cluster.kubeconfig) : exportedTo(scaleway.config, root, env)
  return {
    ...file,
    scaleway: { ...scaleway, ...(scaleway.config && { config: from(scaleway.config) }) },
    ssh: reaching(ssh, from),
    verify: { ...verify, echo: verify.echo ?? publicEcho },
    network: { ...network, privateNetwork: { ...privateNetwork, name: called(privateNetwork) } },
    cluster: { ...cluster, name: called(cluster), ...(existing && { kubeconfig: existing }) },
    ...(file.hosts && { hosts: { ansible: from(file.hosts.ansible) } }),
    tenants: tenants.map(
      (it): Tenant => ({
        ...it,
        workloads: workloadsOf(it),
        egress: egressOf(it, from, proxy => ({ ...proxy, ...machineFor(it.tenant, proxy, file.hosts, inventoryOf) })),
      }),
    ),
  }
}

/** The canary is one that selectors may find: then it is known by name all the same. */
const workloadsOf = ({ workloads = [], selectors, rollout: { canary } }: TenantFile): Tenant['workloads'] => {
  const isCanary = ({ kind, name }: Tenant['workloads'][number]) => kind === canary.kind && name === canary.name
  return workloads.length > 0 && (!selectors || workloads.some(isCanary)) ? workloads : [canary, ...workloads]
}

/** One proxy or several, seen the same way. */
const egressOf = (it: TenantFile, from: From, known: (proxy: ProxyFile) => ProxyHost): Tenant['egress'] => {
  const { proxy, proxies = [], clientCertificates: _, gateway: __, ...rest } = it.egress
  const all = (proxy ? [proxy] : proxies).map(known)
  const through = it.egress.via === 'gateway-pod' ? 'gateway' : proxy ? 'address' : 'service'
  return { ...rest, ...certificatesOf(it, from), ...gatewayOf(it), proxies: all, through }
}

/** The machine that exists already, as Ansible's inventory knows it. */
const machineFor = (
  tenant: string,
  proxy: ProxyFile,
  hosts: ContextFile['hosts'],
  inventoryOf: (path: string) => AnsibleInventory,
): { machine?: Machine } => {
  if (!proxy.existing || !hosts) return {}
  const { host } = proxy.existing
  const inventory = inventoryOf(hosts.ansible)
  if (inventory.tree.hosts.has(host)) return { machine: machineOf(inventory, host, hosts.ansible) }
  const near = nearest(host, [...inventory.tree.hosts.keys()])
  throw new Problem(`tenant ${tenant}: ${hosts.ansible} has no host ${host}`, {
    why: `it has ${[...inventory.tree.hosts.keys()].slice(0, 20).join(', ') || 'none'}`,
    next: near ? `did you mean ${near}?` : `correct existing.host of proxy ${proxy.name}`,
    exit: 2,
  })
}

const reaching = (ssh: ContextFile['ssh'], from: (path: string) => string): ContextFile['ssh'] => {
  const { identity, passphrase, agent, knownHosts, config, become } = ssh
  const named = (it: NonNullable<typeof passphrase>) => ('file' in it ? { file: from(it.file) } : it)
  return {
    ...ssh,
    identity: from(identity),
    ...(passphrase && { passphrase: named(passphrase) }),
    ...(agent && { agent: agent === 'none' ? agent : from(agent) }),
    ...(knownHosts && { knownHosts: knownHosts.map(from) }),
    ...(config && { config: from(config) }),
    ...(become && { become: { password: named(become.password) } }),
  }
}

/**
 * The cluster of the shell. A context that names its own credentials takes nothing from the environment: the sandbox
 * never meets a real cluster because a shell exports one. What we wrote ourselves is no cluster that existed before.
 */
const exportedTo = (config: string | undefined, root: string, { KUBECONFIG }: NodeJS.ProcessEnv) =>
  config || KUBECONFIG?.startsWith(join(root, '.egress')) ? undefined : KUBECONFIG || undefined

/** What we call a thing: its name, or what we know of one that exists already. */
const called = ({ name, existing }: { name?: string | undefined; existing?: Existing | undefined }): string =>
  name ?? existing?.name ?? existing?.id ?? ''

type Existing = { id?: string | undefined; name?: string | undefined }

/** Two services of different owners: one that lies or is down does not decide alone. */
const publicEcho = ['https://api.ipify.org/', 'https://checkip.amazonaws.com/']

const freeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) for (const it of Object.values(value)) freeze(it)
  return Object.freeze(value)
}

const noTenants = (folder: string, root: string) =>
  new Problem(`${relative(root, folder)}/tenants has no tenant`, {
    why: 'there is nobody to give an address to',
    next: 'add tenants/<tenant>.yaml, e.g. after inventory/sandbox/tenants/client-a.yaml',
    exit: 2,
  })
