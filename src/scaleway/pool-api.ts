import type { Scaleway } from './client.ts'

export type Taint = { key: string; value: string; effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute' }

/** A pool as the API writes it. The SDK drops labels and taints without a word, so pools go around it. */
export type RawPool = {
  id: string
  cluster_id: string
  name: string
  status: string
  node_type: string
  size: number
  min_size: number
  max_size: number
  autoscaling: boolean
  autohealing: boolean
  public_ip_disabled: boolean
  /** Bytes; 0 or absent: the usual for the type. */
  root_volume_size?: number
  zone: string
  tags: string[]
  labels?: Record<string, string> | null
  taints?: Taint[] | null
}

const base = ({ region }: Scaleway) => `/k8s/v1/regions/${region}`
const json = { 'Content-Type': 'application/json; charset=utf-8' }

export const listPools = (scaleway: Scaleway, clusterId: string): Promise<RawPool[]> =>
  scaleway.lists.next(`pool ${clusterId}`, () => allPools(scaleway, clusterId))

const allPools = async (scaleway: Scaleway, clusterId: string): Promise<RawPool[]> => {
  const all: RawPool[] = []
  for (let page = 1; ; page++) {
    const { pools, total_count } = (await scaleway.raw({
      method: 'GET',
      path: `${base(scaleway)}/clusters/${clusterId}/pools`,
      urlParams: new URLSearchParams({ page: String(page), page_size: '100' }),
    })) as { pools: RawPool[]; total_count: number }
    all.push(...pools)
    if (pools.length === 0 || all.length >= total_count) return all
  }
}

export const getPool = async (scaleway: Scaleway, id: string): Promise<RawPool> =>
  (await scaleway.raw({ method: 'GET', path: `${base(scaleway)}/pools/${id}` })) as RawPool

export const createPool = async (scaleway: Scaleway, clusterId: string, pool: Partial<RawPool>): Promise<RawPool> =>
  (await scaleway.raw({
    method: 'POST',
    path: `${base(scaleway)}/clusters/${clusterId}/pools`,
    headers: json,
    body: JSON.stringify(pool),
  })) as RawPool

export const setLabels = (scaleway: Scaleway, id: string, labels: Record<string, string>): Promise<unknown> =>
  scaleway.raw({
    method: 'PUT',
    path: `${base(scaleway)}/pools/${id}/set-labels`,
    headers: json,
    body: JSON.stringify({ labels }),
  })

export const setTaints = (scaleway: Scaleway, id: string, taints: Taint[]): Promise<unknown> =>
  scaleway.raw({
    method: 'PUT',
    path: `${base(scaleway)}/pools/${id}/set-taints`,
    headers: json,
    body: JSON.stringify({ taints }),
  })
