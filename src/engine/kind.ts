import type { Json } from './json.ts'

/** What is different, as data a person can read. `details` names the parts (a file, a rule, a field). */
export type Change = {
  action: 'create' | 'update' | 'replace' | 'delete'
  summary: string
  details?: Detail[]
  /** Of a replacement: why it cannot be changed in place. */
  why?: string
  /** Until this is done, nobody can look through it: a server that is off. Creating and replacing always are so. */
  unready?: boolean
}

/** One part of a change; `diff` is a unified diff or a line like `type: VPC-GW-S -> VPC-GW-M`. */
export type Detail = { name: string; action: 'create' | 'update' | 'delete'; diff?: string }

/** How a Kind talks while it works: what it waits for, and what it finished inside one step. */
export type Report = {
  /** Something is awaited, e.g. `gateway egress: configuring`. Called on every look. */
  waiting(what: string): void
  /** A part of this step is done; goes to the journal. No secrets. */
  progress(part: string, data?: Json): void
  /** Nothing was changed yet: what does not answer now need not be waited for. */
  planning?: boolean
  /** Stops waits and retries when the operator interrupts. */
  signal: AbortSignal
}

/**
 * How one sort of thing is seen, compared, made and unmade. All code that touches the world is in Kinds.
 *
 * Want and Live are JSON: they go to the journal, so they hold no secrets and no closures.
 * A Want may hold Refs; the engine resolves them before any function here is called.
 */
export type Kind<Want extends Json, Live extends Json, Clients> = {
  name: string
  /** Reading goes through the parents (a host must be up): with one that is not ready, the look waits until then. */
  looksThroughParents?: true
  /** Nothing of it is ever made or changed: others need what it sees. */
  looksOnly?: true
  /** Other things live inside it (a network, a cluster): it can only be replaced after they are taken down. */
  holds?: true
  /** How long an action usually takes, in seconds; absent: at once. For the plan, never for a deadline. */
  takes?: Partial<Record<Change['action'], number>>
  /**
   * What its reads will ask whatever their wants are, asked at once when a plan begins: calls then go side by side
   * instead of along the graph. The reads must find the answers kept; an error is theirs to tell.
   */
  ahead?(clients: Clients): Promise<unknown>
  /** Look, never change; null: not there. */
  read(want: Want, clients: Clients, report: Report): Promise<Live | null>
  /** Pure; null: nothing to do. May throw a Problem where the difference cannot be mended. */
  diff(want: Want, live: Live | null): Change | null
  /** Make it so, whatever was left half-done before. Returns what is there now. */
  apply(want: Want, clients: Clients, live: Live | null, report: Report): Promise<Live>
  /** Make `now` be `before` (null: not there). Runs twice without harm. Absent: the plan says one-way. */
  undo?(want: Want, clients: Clients, before: Live | null, now: Live | null, report: Report): Promise<void>
}

// biome-ignore lint/suspicious/noExplicitAny: a registry holds Kinds of every Want, Live and Clients
export type AnyKind = Kind<any, any, any>
