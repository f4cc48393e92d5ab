import type { Effect, Protocol, Rule } from './policy.ts'

/** One entry of `allow` or `deny`, as an operator writes it; what the schema refused in it is undefined. */
export type Entry = {
  domain?: string | undefined
  address?: string | undefined
  ports?: (number | undefined)[] | undefined
  protocols?: (Protocol | undefined)[] | undefined
  methods?: (string | undefined)[] | undefined
  expires?: string | undefined
  comment?: string | undefined
  requestedBy?: string | undefined
  suffix?: boolean | undefined
}

export type Lists = { allow?: (Entry | undefined)[] | undefined; deny?: (Entry | undefined)[] | undefined }

/** Which entry of which list; `context`: the lists for all tenants. */
export type Place = { of: 'context' | 'tenant'; list: Effect; at: number }

/** At one field of an entry, or at the entry. A warning stops nobody: the policy is right, and says something idle. */
export type Mistake = Place & { field?: keyof Entry; warning?: true; what: string; why: string; next: string }

export type Placed = { rule: Rule; place: Place }
