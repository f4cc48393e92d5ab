import type {
  Accountv3,
  Blockv1,
  Iamv1alpha1,
  Instancev1,
  Ipamv1,
  K8Sv1,
  Marketplacev2,
  Vpcgwv2,
  Vpcv2,
} from '@scaleway/sdk'
import type { Client } from '@scaleway/sdk-client'
import { type Deadlines, usualDeadlines } from './deadlines.ts'
import type { Call } from './http.ts'
import { createHttpClient, type HttpOptions } from './http.ts'
import type { Lists } from './lists.ts'
import { createLists } from './lists.ts'
import { toProblem } from './problems.ts'
import type { Profile } from './profile.ts'

/** What the Kinds of this layer are given. */
export type Scaleway = {
  vpc: Vpcv2.API
  gateway: Vpcgwv2.API
  ipam: Ipamv1.API
  instance: Instancev1.API
  marketplace: Marketplacev2.API
  block: Blockv1.API
  k8s: K8Sv1.API
  iam: Iamv1alpha1.API
  account: Accountv3.ProjectAPI
  /** For what the SDK does not know, e.g. the labels and taints of a pool. */
  raw: Client['fetch']
  /** Lists that several reads share. */
  lists: Lists
  projectId: string
  region: string
  zone: string
  /** The egress context, for tags. */
  context: string
  /** How long waits may take, by what is waited for. */
  deadlines: Deadlines
  /** Calls made so far. */
  calls(): number
}

export type ScalewayOptions = {
  context: string
  signal?: AbortSignal
  onCall?: (call: Call) => void
  deadlines?: Deadlines
  /** Deadline and retries; tests shorten them. */
  http?: Pick<HttpOptions, 'fetch' | 'deadlineMs' | 'attempts' | 'baseMs' | 'capMs'>
}

/** The clients of one project, region and zone. The SDK is large: it is loaded here, not before. */
export const createScaleway = async (profile: Profile, options: ScalewayOptions): Promise<Scaleway> => {
  const [sdk, { createAdvancedClient, withAdditionalInterceptors, withHTTPClient, withProfile }] = await Promise.all([
    import('@scaleway/sdk'),
    import('@scaleway/sdk-client'),
  ])
  const lists = createLists()
  let calls = 0
  const httpClient = createHttpClient({
    ...options.http,
    signal: options.signal,
    onWrite: lists.forget,
    onCall: call => {
      calls++
      options.onCall?.(call)
    },
  })
  const { accessKey, secretKey, projectId, organizationId, region, zone } = profile
  const client = createAdvancedClient(
    withProfile({
      accessKey,
      secretKey,
      defaultProjectId: projectId,
      defaultRegion: region,
      defaultZone: zone,
      ...(organizationId && { defaultOrganizationId: organizationId }),
      ...(profile.apiUrl && { apiURL: profile.apiUrl.replace(/\/+$/, '') }),
    }),
    withHTTPClient(httpClient),
    // Set here, as createClient ignores it; the instance API takes at most 100.
    settings => ({ ...settings, defaultPageSize: 100 }),
    withAdditionalInterceptors([
      { responseError: async ({ request, error }) => Promise.reject(toProblem(error, request, [secretKey])) },
    ]),
  )
  return {
    vpc: new sdk.Vpcv2.API(client),
    gateway: new sdk.Vpcgwv2.API(client),
    ipam: new sdk.Ipamv1.API(client),
    instance: new sdk.Instancev1.API(client),
    marketplace: new sdk.Marketplacev2.API(client),
    block: new sdk.Blockv1.API(client),
    k8s: new sdk.K8Sv1.API(client),
    iam: new sdk.Iamv1alpha1.API(client),
    account: new sdk.Accountv3.ProjectAPI(client),
    raw: client.fetch,
    lists,
    projectId,
    region,
    zone,
    context: options.context,
    deadlines: options.deadlines ?? usualDeadlines,
    calls: () => calls,
  }
}
