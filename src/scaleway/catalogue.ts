import type { Instancev1, K8Sv1, Marketplacev2 } from '@scaleway/sdk'
import type { Scaleway } from './client.ts'
import { statusOf } from './problems.ts'

/** What Scaleway offers today, each asked once. null: this key may not know, or this API does not say. */
export type Catalogue = {
  /** By type, as the API writes them: DEV1-M. */
  types(zone: string): Promise<Record<string, Instancev1.ServerType> | null>
  stock(zone: string): Promise<Record<string, Instancev1.ServerTypesAvailability> | null>
  images(zone: string, label: string): Promise<Marketplacev2.LocalImage[] | null>
  imageLabels(): Promise<string[] | null>
  gatewayTypes(zone: string): Promise<string[] | null>
  versions(): Promise<K8Sv1.Version[] | null>
  /** Anything else that is worth asking once. */
  once<T>(what: string, ask: () => Promise<T>): Promise<T | null>
  /** What was asked and not answered, in words. */
  unanswered(): string[]
}

type Zone = 'fr-par-1'

export const createCatalogue = (scaleway: Scaleway): Catalogue => {
  const { instance, marketplace, gateway, k8s } = scaleway
  const asked = new Map<string, Promise<unknown>>()
  const unanswered = new Set<string>()

  const once = async <T>(what: string, ask: () => Promise<T>): Promise<T | null> => {
    const open = asked.get(what) ?? ask()
    asked.set(what, open)
    try {
      return (await open) as T
    } catch (error) {
      if (![403, 404, 405, 501].includes(statusOf(error) ?? 0)) throw error
      unanswered.add(what)
      return null
    }
  }
  return {
    types: zone =>
      once(`server types of ${zone}`, () =>
        pages(page => instance.listServersTypes({ zone: zone as Zone, page, perPage: 100 })),
      ),
    stock: zone =>
      once(`stock of ${zone}`, async () => {
        const all = await pages(page => instance.getServerTypesAvailability({ zone: zone as Zone, page, perPage: 100 }))
        return Object.fromEntries(Object.entries(all).map(([name, it]) => [name, it.availability]))
      }),
    images: (zone, label) =>
      once(`images ${label} of ${zone}`, () =>
        marketplace.listLocalImages({ imageLabel: label, zone: zone as Zone, type: 'instance_sbs' }).all(),
      ),
    imageLabels: () =>
      once('image labels', async () => (await marketplace.listImages({ includeEol: false }).all()).map(it => it.label)),
    gatewayTypes: zone =>
      once(`gateway types of ${zone}`, async () =>
        (await gateway.listGatewayTypes({ zone: zone as Zone })).types.map(it => it.name),
      ),
    versions: () => once('Kubernetes versions', async () => (await k8s.listVersions()).versions),
    once,
    unanswered: () => [...unanswered],
  }
}

/** The Instance API's lists of types have pages and no `.all()`. */
const pages = async <T>(
  load: (page: number) => Promise<{ servers: Record<string, T>; totalCount: number }>,
): Promise<Record<string, T>> => {
  const all: Record<string, T> = {}
  for (let page = 1; page <= 50; page++) {
    const { servers, totalCount } = await load(page)
    Object.assign(all, servers)
    if (Object.keys(servers).length === 0 || Object.keys(all).length >= (totalCount ?? Number.POSITIVE_INFINITY)) break
  }
  return all
}
