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
  type GatewayPod,
  gatewayDeployment,
  gatewayLabels,
  gatewayObjects,
  gatewayPlaces,
  policyName,
} from '../src/rollout/gateway-pod/manifests.ts'
import { gatewayPolicy } from '../src/rollout/gateway-pod/policy.ts'
import type { KubeObject } from '../src/rollout/kube/object.ts'
import { manifest } from '../src/rollout/manifest.ts'
import { innerOf } from './configure.ts'
import { dnsAddress } from './dns-address.ts'

/** A tenant's Squid in the cluster: the Service before it, what may reach it, its files and policy, then its pods. */
export const gatewayPod = (
  context: Context,
  tenant: GatewayTenant,
  kubeconfig: Ref | string,
  after: Desired[],
): Desired[] => {
  const { tenant: name } = tenant
  const pod = podOf(context, tenant)
  const make = (object: KubeObject, after: Desired[]) =>
    manifest(`${object.kind} ${GATEWAY_NAMESPACE}/${object.metadata.name}`, { kubeconfig, object }, { after })
  const objects = gatewayObjects(pod).map(it => make(it, after))
  const rules = gatewayPolicy(
    name,
    {
      ...{ kubeconfig, namespace: GATEWAY_NAMESPACE, name: policyName(name), tenant: name },
      ...{ labels: gatewayLabels(name), text: policyText(policyOf(context, tenant)) },
    },
    { after },
  )
  return [...objects, rules, make(gatewayDeployment(pod), [...after, ...objects, rules])]
}

/** The same as objects, for people to read: all but the policy, whose revision only a run can know. */
export const gatewayManifests = (context: Context, tenant: GatewayTenant): KubeObject[] => {
  const pod = podOf(context, tenant)
  return [...gatewayObjects(pod), gatewayDeployment(pod)]
}

const podOf = (context: Context, tenant: GatewayTenant): GatewayPod => {
  const { image, replicas, pool, port } = tenant.egress.gateway
  const inner = innerOf(context)
  return {
    ...{ tenant: tenant.tenant, namespace: tenant.namespace, image, replicas, pool, port, healthName },
    files: filesOf(context, tenant, inner),
    dnsIp: dnsAddress(context.cluster.serviceCidr),
    inner: innerRanges(inner),
  }
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
