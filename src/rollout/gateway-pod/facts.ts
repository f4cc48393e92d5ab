import { createHash } from 'node:crypto'
import type { Kube } from '../kube/kube.ts'
import type { KubeObject } from '../kube/object.ts'
import { GATEWAY_NAMESPACE, gatewayName, gatewayPlaces } from './manifests.ts'

/** What a pod of a gateway is made of, as it says itself, a line a fact: versions, and hashes of what its decisions rest on. */
export const readGatewayFacts = async (
  kube: Kube,
  tenant: string,
  pod: string,
  signal: AbortSignal,
): Promise<{ code: number; stdout: string; stderr: string }> =>
  kube.exec(
    { namespace: GATEWAY_NAMESPACE, pod, container: 'squid', command: ['sh', '-c', script(tenant)] },
    { timeoutMs: 60_000, signal },
  )

/** What stands before all of them; null: nothing does. */
export const readGatewayWall = async (kube: Kube, tenant: string): Promise<{ sha256: string } | null> => {
  const id = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', namespace: GATEWAY_NAMESPACE }
  const found = await kube.get<KubeObject>({ ...id, name: gatewayName(tenant) })
  return found && { sha256: createHash('sha256').update(JSON.stringify(found.spec)).digest('hex') }
}

const { files, policies, spool } = gatewayPlaces

const script = (tenant: string) => `say() { printf '%s\\t%s\\n' "$1" "$2"; }
sum() { sha256sum <"$1" | cut -d' ' -f1; }
say time "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
say system "$(. /etc/os-release 2>/dev/null; printf '%s' "$PRETTY_NAME")"
say kernel "$(uname -sr)"
say squid "$(squid -v 2>/dev/null | sed -n 's/^Squid Cache: Version //p')"
say conf "$(sum ${files}/squid.conf)"
say helper "$(sum ${files}/policy-helper)"
for it in ${policies}/${tenant}/*.policy; do
  name=\${it##*/}
  printf 'policy\\t%s\\t%s\\t%s\\t%s\\n' ${tenant} "\${name%.policy}" "$(sed -n '1s/^loaded //p' ${spool}/egress-${tenant}.loaded)" "$(sum "$it")"
done
`
