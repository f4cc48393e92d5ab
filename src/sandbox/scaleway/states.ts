import type { StuckKind } from './conditions.ts'
import type { ScalewayState } from './records.ts'

type Row = { status?: string; state?: string }

const rowOf = (state: ScalewayState, id: string): Row | undefined => {
  const { gateways, gateway_networks, servers, private_nics, security_groups, volumes, clusters, pools, databases } =
    state
  const tables: Record<string, object>[] = [gateways, gateway_networks, servers, private_nics, security_groups]
  return [...tables, volumes, clusters, pools, databases].find(it => id in it)?.[id]
}

/** A thing's state, by whatever name its API has for it. */
export const stateOf = (state: ScalewayState, id: string): string | undefined => {
  const row = rowOf(state, id)
  return row && 'state' in row ? row.state : row?.status
}

/** Lets a thing say a state it is not in by its own doing; undefined: what it would say by itself. */
export const showState = (state: ScalewayState, id: string, value: string | undefined) => {
  const row = rowOf(state, id)
  if (!row) return
  const key = 'state' in row ? 'state' : 'status'
  if (value === undefined) delete row[key]
  else row[key] = value
}

/** 'gateway network creation' is something a gateway_network goes through. */
export const kindOf = (transition: string): StuckKind =>
  transition.toLowerCase().split(' ').slice(0, -1).join('_') as StuckKind
