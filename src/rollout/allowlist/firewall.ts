import type { SecretRef } from '../secret-ref.ts'

/** One range of addresses that a partner lets in. `range`: a CIDR in its one spelling (rangeOf). */
export type Entry = { range: string; description: string }

/** Which list of which partner, as data: it goes to the journal, and holds no secret. */
export type FirewallRef =
  | { provider: 'crunchybridge'; network: string; key: SecretRef; url?: string }
  | { provider: 'scaleway-rdb'; instance: string; region?: string }
  | { provider: 'kapsule'; cluster: string; region?: string }
  | {
      provider: 'command'
      list: string[]
      add: string[]
      remove: string[]
      env?: string[]
      timeout?: string
    }

/** What every provider can do. Each call is one look or one change; entries.ts makes sure of what came of it. */
export type Firewall = {
  list(): Promise<Entry[]>
  add(entry: Entry): Promise<void>
  /** Every entry of that range. Gone already is fine. */
  remove(range: string): Promise<void>
  /** May it be better, or done already, at the next look? Else it is a refusal. */
  passing(error: unknown): boolean
  /** So long a change may take until it is told; absent: as usual. */
  withinMs?: number
}

export type Firewalls = (ref: FirewallRef) => Firewall

/** As it is called in plans and problems. */
export const showFirewall = (ref: FirewallRef): string => {
  switch (ref.provider) {
    case 'crunchybridge':
      return `Crunchy Bridge network ${ref.network}`
    case 'scaleway-rdb':
      return `database ${ref.instance}`
    case 'kapsule':
      return `API server of cluster ${ref.cluster}`
    case 'command':
      return `firewall behind ${ref.list[0]}`
  }
}
