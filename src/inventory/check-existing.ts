import type { Path } from './document.ts'
import { proxiesAt } from './proxies.ts'
import type { Say } from './say.ts'
import type { ContextFile } from './schema-context.ts'
import type { TenantFile } from './schema-tenant.ts'
import type { Parts } from './validate.ts'

type Existing = { id?: string | undefined; name?: string | undefined } | undefined

/** What is adopted is named one way; what is made needs its properties, and what is adopted has them already. */
export const checkExisting = ({ network, gateway, cluster }: Parts<ContextFile>, say: Say): void => {
  const vpc = network?.vpc
  const net = network?.privateNetwork
  if (typeof vpc === 'object') checkNamed(['network', 'vpc', 'existing'], vpc.existing, say)
  for (const [path, it] of [
    [['network', 'privateNetwork'], net],
    [['gateway'], gateway],
    [['cluster'], cluster],
  ] as const)
    if (it?.existing) checkNamed([...path, 'existing'], it.existing, say)
  if (network && !net?.existing && lacks(network, 'vpc')) missing(['network', 'vpc'], say)
  if (net && !net.existing && lacks(net, 'name')) missing(['network', 'privateNetwork', 'name'], say)
  if (net?.existing && typeof vpc === 'string')
    say(
      ['network', 'vpc'],
      `the VPC ${vpc} would be made, and the private network exists already`,
      'a private network cannot move to another VPC',
      'leave vpc out, or name the VPC that it is in: { existing: { name } }',
    )
  if (gateway && !gateway.existing && lacks(gateway, 'type')) missing(['gateway', 'type'], say)
  if (gateway?.existing && gateway.type !== undefined) idle(['gateway', 'type'], say)
  if (cluster && !cluster.existing)
    for (const key of ['name', ...(cluster.kubeconfig === undefined ? (['version'] as const) : [])] as const)
      if (lacks(cluster, key)) missing(['cluster', key], say)
  if (cluster?.kubeconfigContext !== undefined && cluster.kubeconfig === undefined)
    say(
      ['cluster', 'kubeconfigContext'],
      'cluster.kubeconfigContext is of no kubeconfig',
      'the cluster that is made here has one of its own, with one context',
      'name the file as cluster.kubeconfig too (or export KUBECONFIG), or leave the context out',
    )
  if (cluster?.existing)
    for (const key of ['version', 'acl'] as const) if (cluster[key] !== undefined) idle(['cluster', key], say)
}

/** What is wrong is there, and told elsewhere. */
const lacks = <T extends object>(it: T, key: keyof T & string) => !(key in it)

const checkNamed = (path: Path, existing: Existing, say: Say) => {
  if (!existing || (existing.id === undefined) !== (existing.name === undefined)) return
  const why = existing.id === undefined ? 'it says neither' : 'it says both'
  say(path, `${path.join('.')} is named by its id or by its name`, why, 'write { id: ... } or { name: ... }')
}

const missing = (path: Path, say: Say) => say(path, `${path.join('.')} is missing`, 'it is needed (string)', 'add it')

const idle = (path: Path, say: Say) =>
  say(path, `${path.join('.')} is not ours to choose`, 'what exists already is used as it is', 'leave it out')

/** A proxy is made, and then of a type and an image, or it exists, and then in an inventory of hosts. */
export const checkMachines = (context: Parts<ContextFile>, tenant: Parts<TenantFile>, say: Say): void => {
  for (const it of proxiesAt(tenant)) checkMachine(context, it, say)
}

const checkMachine = (
  { hosts }: Parts<ContextFile>,
  { path, proxy }: ReturnType<typeof proxiesAt>[number],
  say: Say,
): void => {
  const at = (field: string) => [...path, field]
  if (!proxy.existing) {
    for (const field of ['type', 'image'] as const)
      if (proxy[field] === undefined)
        say(at(field), `${at(field).join('.')} is missing`, 'it is needed for the server that is made', 'add it')
    return
  }
  for (const field of ['type', 'image', 'rootVolumeGb', 'zone', 'protect'] as const)
    if (proxy[field] !== undefined)
      say(at(field), `${at(field).join('.')} says nothing of a machine that exists`, 'nothing is made', 'take it out')
  if (!hosts)
    say(
      at('existing'),
      'there are no hosts to find it in',
      'hosts.ansible is not said',
      'write hosts: { ansible: PATH }',
    )
}
