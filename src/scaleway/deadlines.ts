import { millis } from '../engine/duration.ts'

/** What the cloud works on while we wait. */
export type Waited =
  | 'network'
  | 'address'
  | 'gateway'
  | 'gatewayNetwork'
  | 'securityGroup'
  | 'server'
  | 'privateNic'
  | 'volume'
  | 'cluster'
  | 'pool'

/** How long each may take to get where it should be, or to go, in milliseconds. */
export type Deadlines = Readonly<Record<Waited, number>>

const minutes = (count: number): number => count * 60_000

/** A few times what each was seen to take at Scaleway: a pool of nodes needed up to eleven minutes. */
export const usualDeadlines: Deadlines = {
  network: minutes(5),
  address: minutes(2),
  gateway: minutes(5),
  gatewayNetwork: minutes(5),
  securityGroup: minutes(2),
  server: minutes(5),
  privateNic: minutes(5),
  volume: minutes(3),
  cluster: minutes(15),
  pool: minutes(25),
}

/** What the inventory says (`90s`, `15m`) over the usual. */
export const deadlinesFrom = (given: Partial<Record<Waited, string | undefined>> = {}): Deadlines => {
  const said = Object.entries(given).filter(([, text]) => text !== undefined)
  return { ...usualDeadlines, ...Object.fromEntries(said.map(([what, text]) => [what, millis(String(text))])) }
}
