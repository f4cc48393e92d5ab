import { readFileSync } from 'node:fs'
import type { Desired, Ref } from '../src/engine/desired.ts'
import { innerRanges } from '../src/hosts/overlap.ts'
import { healthName, squidConf } from '../src/hosts/squid-conf.ts'
import type { Context, GatewayTenant } from '../src/inventory/context.ts'
import { varsOf } from '../src/inventory/groups.ts'
import { policyOf } from '../src/policy/entries.ts'
import { policyText } from '../src/policy/policy-file.ts'
import {
  GATEWAY_NAMESPACE,
  gatewayDeployment,
  gatewayLabels,
  gatewayObjects,
  gatewayPlaces,
  policyName,
} from '../src/rollout/gateway-pod.ts'
import { gatewayPolicy } from '../src/rollout/gateway-policy.ts'
import { manifest } from '../src/rollout/manifest.ts'
import type { KubeObject } from '../src/rollout/object.ts'

type Inside = { kubeconfig: Ref | string; dnsIp: string; inner: string[] }

/** A tenant's Squid in the cluster: the Service before it, what may reach it, its files and policy, then its pods. */
export const gatewayPod = (
  context: Context,
  tenant: GatewayTenant,
  { kubeconfig, dnsIp, inner }: Inside,
  after: Desired[],
): Desired[] => {
  const { tenant: name, namespace, egress } = tenant
  const { image, replicas, pool, port } = egress.gateway
  const policy = policyOf(context, tenant)
  const files = filesOf(context, tenant, inner)
  const pod = {
    tenant: name,
    namespace,
    image,
    replicas,
    pool,
    port,
    files,
    healthName,
    dnsIp,
    inner: innerRanges(inner),
  }
  const make = (object: KubeObject, after: Desired[]) =>
    manifest(`${object.kind} ${GATEWAY_NAMESPACE}/${object.metadata.name}`, { kubeconfig, object }, { after })
  const objects = gatewayObjects(pod).map(it => make(it, after))
  const rules = gatewayPolicy(
    name,
    {
      ...{ kubeconfig, namespace: GATEWAY_NAMESPACE, name: policyName(name), tenant: name },
      ...{ labels: gatewayLabels(name), text: policyText(policy) },
    },
    { after },
  )
  return [...objects, rules, make(gatewayDeployment(pod), [...after, ...objects, rules])]
}

/** What its Squid is started with: the squid.conf of hosts, with other places. */
const filesOf = (context: Context, tenant: GatewayTenant, inner: string[]): Record<string, string> => {
  const { files, policies, spool } = gatewayPlaces
  const { text } = squidConf(
    {
      tenants: [
        {
          ...{ name: tenant.tenant, port: tenant.egress.gateway.port, limits: tenant.egress.limits },
          // Which of the cluster's pods may ask is up to the NetworkPolicy.
          clients: [context.cluster.podCidr],
          policy: policyOf(context, tenant),
        },
      ],
      inner,
      vars: varsOf(context, tenant),
    },
    {
      ...{ helper: `${files}/policy-helper`, policies, spool },
      ...{ ownAddresses: `${spool}/own.txt`, auditLog: `${spool}/audit` },
      // What it says besides goes where the container's errors go.
      ...{ cacheLog: '/dev/null', pidFile: 'none' },
    },
  )
  const template = (path: string) => readFileSync(new URL(`../templates/${path}`, import.meta.url), 'utf8')
  return {
    'squid.conf': text,
    'policy-helper': template('usr/local/lib/kapsule-egress/policy-helper'),
    start: template('etc/egress/start'),
    health: template('etc/egress/health'),
  }
}
