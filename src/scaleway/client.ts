import type {
  Accountv3,
  Blockv1,
  Iamv1alpha1,
  Instancev1,
  Ipamv1,
  K8Sv1,
  Marketplacev2,
  Rdbv1,
  Vpcgwv2,
  Vpcv2,
} from '@scaleway/sdk'
import type { Client } from '@scaleway/sdk-client'
import { type Deadlines, usualDeadlines } from './deadlines.ts'
import { type Call, createHttpClient, type HttpOptions, type Note } from './http.ts'
import type { Lists } from './lists.ts'
import { createLists } from './lists.ts'
import { toProblem } from './problems.ts'
import type { Profile } from './profile.ts'
import { createRedaction } from './redaction.ts'
import { createTally, type Tally } from './tally.ts'

/** The APIs that work zone by zone. */
export type Zoned = 'gateway' | 'instance'

/** What the Kinds of this layer are given. */
export type Scaleway = {
  vpc: Vpcv2.API
  gateway: Vpcgwv2.API
  ipam: Ipamv1.API
  instance: Instancev1.API
  marketplace: Marketplacev2.API
  block: Blockv1.API
  k8s: K8Sv1.API
  rdb: Rdbv1.API
  iam: Iamv1alpha1.API
  account: Accountv3.ProjectAPI
  /** For what the SDK does not know, e.g. the labels and taints of a pool. */
  raw: Client['fetch']
  /** Lists that several reads share. */
  lists: Lists
  projectId: string
  region: string
  zone: string
  /** Every zone in which the inventory wants something; the usual one first. */
  zones: readonly string[]
  /** Every zone of the region in which an API is offered. */
  zonesOf(api: Zoned): readonly string[]
  /** The same, in another zone. */
  at(zone: string | undefined): Scaleway
  /** The egress context, for tags. */
  context: string
  /** How long waits may take, by what is waited for. */
  deadlines: Deadlines
  /** From now on these values are masked in errors; the operator's output is told of them too. */
  hide(...secrets: string[]): void
  /** Calls made so far. */
  calls(): number
  tally(): Tally
}

export type ScalewayOptions = {
  context: string
  signal?: AbortSignal
  onCall?: (call: Call) => void
  /** Something long is waited for outside of any step, e.g. a new policy. */
  onWaiting?: (what: string) => void
  /** A secret was read that nobody knew before, e.g. the token of a kubeconfig. */
  onSecret?: (...secrets: string[]) => void
  deadlines?: Deadlines
  /** Zones beside the usual one. */
  zones?: readonly string[]
  /** Pace, deadline and retries; tests shorten them. */
  http?: Omit<HttpOptions, 'signal' | 'onCall' | 'onWrite' | 'onWaiting' | 'onNote' | 'clean'>
}

/** The clients of one project and region. The SDK is large: it is loaded here, not before. */
export const createScaleway = async (profile: Profile, options: ScalewayOptions): Promise<Scaleway> => {
  const [sdk, { createAdvancedClient, withAdditionalInterceptors, withHTTPClient, withProfile }] = await Promise.all([
    import('@scaleway/sdk'),
    import('@scaleway/sdk-client'),
  ])
  const lists = createLists()
  const tally = createTally()
  const redaction = createRedaction()
  const notes = new WeakMap<Request, Note>()
  const { accessKey, secretKey, projectId, organizationId, region, zone } = profile
  redaction.hide(secretKey)
  const httpClient = createHttpClient({
    ...options.http,
    signal: options.signal,
    clean: redaction.clean,
    onWrite: lists.forget,
    onWaiting: options.onWaiting,
    onNote: (request, note) => notes.set(request, note),
    onCall: call => {
      tally.count(call)
      options.onCall?.(call)
    },
  })
  const clientIn = (defaultZone: string) =>
    createAdvancedClient(
      withProfile({
        accessKey,
        secretKey,
        defaultProjectId: projectId,
        defaultRegion: region,
        defaultZone,
        ...(organizationId && { defaultOrganizationId: organizationId }),
        ...(profile.apiUrl && { apiURL: profile.apiUrl.replace(/\/+$/, '') }),
      }),
      withHTTPClient(httpClient),
      // Set here, as createClient ignores it; the instance API takes at most 100.
      settings => ({ ...settings, defaultPageSize: 100 }),
      withAdditionalInterceptors([
        {
          responseError: async ({ request, error }) =>
            Promise.reject(toProblem(error, request, { note: notes.get(request), clean: redaction.clean })),
        },
      ]),
    )
  const zones = [...new Set([zone, ...(options.zones ?? [])])]
  const offered: Record<Zoned, readonly string[]> = {
    gateway: localities(sdk.Vpcgwv2.API.LOCALITY),
    instance: localities(sdk.Instancev1.API.LOCALITY),
  }
  const zonesOf = (api: Zoned) => [...new Set([...zones, ...offered[api].filter(it => it.startsWith(`${region}-`))])]
  const views = new Map<string, Scaleway>()
  const at = (asked: string | undefined): Scaleway => {
    const there = asked ?? zone
    const view = views.get(there) ?? open(there)
    views.set(there, view)
    return view
  }
  const open = (there: string): Scaleway => {
    const client = clientIn(there)
    return {
      vpc: new sdk.Vpcv2.API(client),
      gateway: new sdk.Vpcgwv2.API(client),
      ipam: new sdk.Ipamv1.API(client),
      instance: new sdk.Instancev1.API(client),
      marketplace: new sdk.Marketplacev2.API(client),
      block: new sdk.Blockv1.API(client),
      k8s: new sdk.K8Sv1.API(client),
      rdb: new sdk.Rdbv1.API(client),
      iam: new sdk.Iamv1alpha1.API(client),
      account: new sdk.Accountv3.ProjectAPI(client),
      raw: client.fetch,
      lists,
      projectId,
      region,
      zone: there,
      zones,
      zonesOf,
      at,
      context: options.context,
      deadlines: options.deadlines ?? usualDeadlines,
      hide(...secrets) {
        redaction.hide(...secrets)
        options.onSecret?.(...secrets)
      },
      calls: () => tally.read().calls,
      tally: tally.read,
    }
  }
  return at(zone)
}

const localities = (it: { type: string; zones?: readonly string[] }): readonly string[] => it.zones ?? []
