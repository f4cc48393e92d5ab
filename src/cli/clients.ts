import type { AnyKind } from '../engine/kind.ts'
import { authorityKind } from '../hosts/authority.ts'
import { passwordFrom } from '../hosts/become.ts'
import { cloudInit, hostKeyOf, newHostKey } from '../hosts/cloud-init.ts'
import { hostPlay } from '../hosts/play.ts'
import { createSsh, type Ssh } from '../hosts/ssh.ts'
import { type Context, zonesIn } from '../inventory/context.ts'
import { admissionPolicyKind } from '../rollout/admission-policy.ts'
import { allowlistAdditionKind } from '../rollout/allowlist/addition.ts'
import { createFirewalls, ledFirewalls } from '../rollout/allowlist/firewalls.ts'
import { allowlistLeftoversKind } from '../rollout/allowlist/leftovers.ts'
import { allowlistRemovalKind } from '../rollout/allowlist/removal.ts'
import { apiEndpointsKind } from '../rollout/api-endpoints.ts'
import { clientSecretKind } from '../rollout/client-secret.ts'
import { endpointSliceKind } from '../rollout/endpoint-slice.ts'
import { gatewayPolicyKind } from '../rollout/gateway-pod/policy.ts'
import { createKubes, type Kube, type Kubes } from '../rollout/kube/kube.ts'
import type { Held } from '../rollout/kube/lease.ts'
import { led } from '../rollout/kube/led.ts'
import { manifestKind } from '../rollout/manifest.ts'
import { workloadEgressKind } from '../rollout/workload-egress.ts'
import { accessList } from '../scaleway/access-lists.ts'
import type { Scaleway } from '../scaleway/client.ts'
import { createScaleway } from '../scaleway/client.ts'
import type { ServerClients } from '../scaleway/cloud-init.ts'
import { deadlinesFrom } from '../scaleway/deadlines.ts'
import { scalewayKinds } from '../scaleway/kinds.ts'
import { readProfile } from '../scaleway/profile.ts'
import { askHidden } from './hidden.ts'
import type { Output } from './output.ts'
import type { Leadership } from './rollout/leader.ts'

/** Everything this product knows how to see, make and unmake, by the name a journal uses. */
export const kinds: ReadonlyMap<string, AnyKind> = new Map(
  [
    ...scalewayKinds,
    hostPlay,
    authorityKind,
    manifestKind,
    clientSecretKind,
    apiEndpointsKind,
    admissionPolicyKind,
    endpointSliceKind,
    gatewayPolicyKind,
    workloadEgressKind,
    allowlistAdditionKind,
    allowlistRemovalKind,
    allowlistLeftoversKind,
  ].map(it => [it.name, it as AnyKind]),
)

/** The ways out of this process, each opened when it is first needed. */
export type Clients = {
  scaleway(): Promise<Scaleway>
  ssh: Ssh
  /** Of a run that changes things, a client asks before each write whether the run still leads. */
  kube: Kubes
  /** Takes the lead in a cluster, or has it; absent: a run that only looks. */
  lead?(kubeconfig: string): Promise<Held>
  clientsFor(kind: AnyKind): unknown
  close(): Promise<void>
}

export const createClients = (
  context: Context,
  signal: AbortSignal,
  output: Pick<Output, 'hide' | 'say'>,
  {
    root,
    env = process.env,
    leadership,
  }: { root: string; env?: NodeJS.ProcessEnv; leadership?: Leadership | undefined },
): Clients => {
  const ssh = createSsh({ env, ask: askHidden() })
  hideSudo(context, output)
  const kubes = createKubes({ signal, context: context.cluster.kubeconfigContext, onSecret: output.hide })
  const kube = leadership ? leading(kubes, leadership) : kubes
  let cloud: Promise<ServerClients> | undefined
  const scaleway = () => {
    cloud ??= openScaleway(context, signal, output, env)
    return cloud
  }
  const lists = createFirewalls({ root, signal, onSecret: output.hide, cloud: of => accessList(scaleway, of) })
  const firewalls = leadership ? ledFirewalls(lists, leadership.check) : lists
  return {
    scaleway,
    ssh,
    kube,
    ...(leadership && { lead: (kubeconfig: string) => leadership.of(kubeconfig, kubes(kubeconfig)) }),
    clientsFor(kind) {
      if (kind === hostPlay || kind === authorityKind) return { ssh }
      return scalewayKinds.includes(kind) ? scaleway() : { kube, firewalls }
    },
    async close() {
      await Promise.all([ssh.close(), kube.close()])
    },
  }
}

const leading = (kubes: Kubes, leadership: Leadership): Kubes => {
  const made = new Map<Kube, Kube>()
  const kubeOf = (kubeconfig: string): Kube => {
    const kube = kubes(kubeconfig)
    const it = made.get(kube) ?? led(kube, async () => (await leadership.of(kubeconfig, kube)).check())
    made.set(kube, it)
    return it
  }
  return Object.assign(kubeOf, { close: kubes.close })
}

const openScaleway = async (
  whole: Context,
  signal: AbortSignal,
  { hide, say }: Pick<Output, 'hide' | 'say'>,
  env: NodeJS.ProcessEnv,
) => {
  const { context, scaleway } = whole
  const profile = await readProfile({ ...scaleway, env })
  hide(profile.secretKey)
  const clients = await createScaleway(profile, {
    context,
    signal,
    deadlines: deadlinesFrom(scaleway.deadlines),
    zones: zonesIn(whole),
    onSecret: hide,
    onWaiting: what => say(`waiting: ${what}`),
  })
  return { ...clients, cloudInit: cloudInitOfHosts }
}

/** The password for sudo, where it can be read: what needs it will say when it cannot. */
const hideSudo = ({ ssh: { become } }: Context, { hide }: Pick<Output, 'hide'>) => {
  try {
    if (become) hide(passwordFrom(become.password))
  } catch {}
}

/** User data with the blocks of its host key masked: what is left can be compared. */
const maskKeys = (userData: string): string =>
  userData
    .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, '(host key)')
    .replace(/ed25519_public:.*/g, 'ed25519_public: (host key)')

/** What a server is told at its first boot, for the cloud that hands it over. */
export const cloudInitOfHosts = {
  render: (want: unknown, hostKey: unknown) =>
    cloudInit({ ...(want as object), hostKey } as Parameters<typeof cloudInit>[0]),
  newHostKey: () => newHostKey(),
  publicKeyOf: hostKeyOf,
  withoutKeys: maskKeys,
}
