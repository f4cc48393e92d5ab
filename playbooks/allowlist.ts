import type { Desired, Ref } from '../src/engine/desired.ts'
import { rangeOf } from '../src/engine/ranges.ts'
import { type Context, sharePartner, type Tenant } from '../src/inventory/context.ts'
import { allowlistAddition } from '../src/rollout/allowlist/addition.ts'
import type { FirewallRef } from '../src/rollout/allowlist/firewall.ts'
import { allowlistLeftovers } from '../src/rollout/allowlist/leftovers.ts'
import type { Mover } from '../src/rollout/allowlist/old-ways.ts'
import { allowlistRemoval } from '../src/rollout/allowlist/removal.ts'
import { EGRESS_LABEL } from '../src/rollout/manifests.ts'
import { gatewayAddressOf } from './gateway.ts'

/** The partner lets the tenant's fixed addresses in; nothing where it has no partner to tell. */
export const opened = (context: Context, tenant: Tenant, kubeconfig: Ref | string, after: Desired[]): Desired[] => {
  const firewall = firewallOf(tenant)
  if (!firewall) return []
  const alike = [tenant, ...othersAt(context, tenant).filter(it => leaveAlike(it, tenant))]
  const users = alike.map(({ namespace }) => ({ namespace, label: EGRESS_LABEL }))
  const { namespace } = tenant
  const addresses = addressesOf(context, tenant)
  return [
    allowlistAddition(
      tenant.tenant,
      { firewall, kubeconfig, namespace, mark: markOf(context, tenant), addresses, users },
      { after },
    ),
  ]
}

/** What the inventory lists for removal goes, one entry after the other; then what was ours once. */
export const shrunk = (context: Context, tenant: Tenant, kubeconfig: Ref | string, after: Desired[]): Desired[] => {
  const { remove = [], drain = '0s' } = tenant.rollout.externalAllowlist ?? {}
  const { namespace } = tenant
  const movers = [tenant, ...othersAt(context, tenant)].map(it => moverOf(context, it))
  const want = { firewall: firewallOf(tenant)!, namespace, keep: addressesOf(context, tenant), drain }
  const done: Desired[] = []
  for (const it of remove) {
    const range = rangeOf(it)
    done.push(
      allowlistRemoval(
        `${tenant.tenant}/${range}`,
        { ...want, kubeconfig, movers, range },
        { after: [...after, ...done] },
      ),
    )
  }
  const mark = markOf(context, tenant)
  return [...done, allowlistLeftovers(tenant.tenant, { ...want, mark }, { after: [...after, ...done] })]
}

const markOf = ({ context }: Context, { tenant }: Tenant): string => `kapsule-egress ${context}/${tenant}`

/** A partner's list is one for all tenants that write the same. */
const othersAt = ({ tenants, partners = [] }: Context, tenant: Tenant): Tenant[] =>
  [...tenants, ...partners].filter(it => it !== tenant && sharePartner(it, tenant))

/** Pods of the cluster leave as their nodes do, whoever they belong to. */
const namesOf = ({ egress: { proxies, gateway } }: Tenant): string[] =>
  gateway ? [gateway.publicIp ?? 'the gateway'] : proxies.map(({ name, flexibleIp = name }) => flexibleIp)

const leaveAlike = (a: Tenant, b: Tenant): boolean => namesOf(a).some(it => namesOf(b).includes(it))

const addressesOf = (context: Context, { egress: { proxies, gateway } }: Tenant): (string | Ref)[] =>
  gateway
    ? [gateway.publicIp ?? gatewayAddressOf(context)]
    : proxies.map(
        ({ name, flexibleIp = name, existing }) =>
          existing?.publicIp ?? { $ref: `flexible-ip/${flexibleIp}`, path: 'address' },
      )

/** Of a tenant that this run leaves out nobody asks its selectors: every pod counts. */
const moverOf = ({ partners = [] }: Context, it: Tenant): Mover => ({
  namespace: it.namespace,
  label: EGRESS_LABEL,
  workloads: it.workloads.map(({ kind, name }) => ({ kind, name })),
  others: partners.includes(it) && it.selectors ? 'count' : (it.rollout.externalAllowlist?.otherPods ?? 'count'),
})

const firewallOf = ({ rollout: { externalAllowlist: said } }: Tenant): FirewallRef | undefined => {
  if (!said) return undefined
  const { network = '', key = { env: 'CB_API_KEY' }, url, commands, instance = '', cluster = '', region } = said
  switch (said.provider) {
    case 'crunchybridge':
      return { provider: said.provider, network, key, ...(url !== undefined && { url }) }
    case 'scaleway-rdb':
      return { provider: said.provider, instance, ...(region !== undefined && { region }) }
    case 'kapsule':
      return { provider: said.provider, cluster, ...(region !== undefined && { region }) }
    case 'command': {
      const { list = [], add = [], remove = [], env, timeout } = commands ?? {}
      return { provider: said.provider, list, add, remove, ...(env && { env }), ...(timeout && { timeout }) }
    }
  }
}
