import { createHash, randomUUID } from 'node:crypto'
import type { Clusters, Machines } from '../ports.ts'
import { notFound } from './answer.ts'
import type { ScalewayState, Table } from './records.ts'
import type { Transitions } from './transitions.ts'

export type Credentials = { accessKey: string; secretKey: string; projectId: string; organizationId: string }

/** What every service works on: the projects' state, the world behind it, and the clock. */
export type Cloud = {
  state: ScalewayState
  credentials: Credentials
  machines: Machines
  clusters: Clusters
  transitions: Transitions
  /** The day whose API this is, year-month-day; undefined: today's, or what a client's requests show. */
  asOf?: string | undefined
}

/** How the API's 404 calls the rows of a table. */
const nouns: Record<Table, string> = {
  vpcs: 'vpc',
  private_networks: 'private_network',
  ips: 'ip',
  gateway_ips: 'ip',
  gateways: 'gateway',
  gateway_networks: 'gateway_network',
  instance_ips: 'instance_ip',
  security_groups: 'instance_security_group',
  servers: 'instance_server',
  private_nics: 'instance_private_nic',
  volumes: 'volume',
  clusters: 'cluster',
  pools: 'pool',
  nodes: 'node',
  ssh_keys: 'ssh_key',
  databases: 'instance',
}

type Row<T extends Table> = ScalewayState[T][string]

/** The row, or the API's 404. `place` is the region or zone of the path: a thing is not found in another one. */
export const mustFind = <T extends Table>({ state }: Cloud, table: T, id: string, place?: string): Row<T> => {
  const row = (state[table] as Record<string, Row<T>>)[id]
  if (!row) throw notFound(nouns[table], id)
  if (place && 'zone' in row && row.zone !== place && !('region' in row && row.region === place))
    throw notFound(nouns[table], id)
  if (place && !('zone' in row) && 'region' in row && row.region !== place) throw notFound(nouns[table], id)
  return row
}

/** Microseconds, as the API writes them. */
export const now = (): string => new Date().toISOString().replace('Z', '000Z')

/** The Instance API writes the same instant its own way. */
export const pythonDate = (iso: string): string => iso.replace('Z', '+00:00')

export const dated = () => {
  const at = now()
  return { created_at: at, updated_at: at }
}

export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)

export const uuid = (): string => randomUUID()

/** The same text gives the same id, so that images keep theirs over restarts. */
export const uuidOf = (text: string): string => {
  const hex = createHash('sha256').update(text).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** A MAC that no other NIC here has; `first` is 02 for private networks, de for the internet. */
export const newMac = ({ state }: Cloud, first: '02:00:00' | 'de:00:00'): string => {
  state.sequence += 1
  const tail = (0x10_00_00 + state.sequence).toString(16).padStart(6, '0')
  return `${first}:${tail.slice(0, 2)}:${tail.slice(2, 4)}:${tail.slice(4, 6)}`
}

export const byId = <T>(rows: Record<string, T>): T[] => Object.values(rows)
