import type { Instancev1 } from '@scaleway/sdk'
import { closest } from '../engine/nearest.ts'
import type { Check, Finding } from './finding.ts'

type Types = Record<string, Instancev1.ServerType>
type Stock = Record<string, Instancev1.ServerTypesAvailability>

/** A server: its type exists here and is in stock, and its image runs on it. */
export const checkServer: Check = async ({ step, want, scaleway, catalogue }) => {
  const zone: string = want.zone ?? scaleway.zone
  const [types, stock, images] = await Promise.all([
    catalogue.types(zone),
    catalogue.stock(zone),
    catalogue.images(zone, want.image),
  ])
  const wrong = wrongType(want.type, zone, types, stock)
  const found = wrong ? [{ step: step.id, field: 'type', ...wrong }] : []
  if (!images) return found
  const image = { step: step.id, field: 'image' }
  if (images.length === 0) {
    const labels = await catalogue.imageLabels()
    const isElsewhere = labels?.includes(want.image)
    const what = `there is no image ${want.image} in ${zone}`
    const why = isElsewhere ? 'the marketplace has it, but not in this zone' : 'the marketplace has no such label'
    const near = closest(
      want.image,
      (labels ?? []).filter(it => it !== want.image),
    )
    return [
      ...found,
      { ...image, what, why, next: near.length > 0 ? `take one of ${near.join(', ')}` : 'take another' },
    ]
  }
  const known = types && exact(want.type, Object.keys(types))
  const fitting = images.flatMap(it => it.compatibleCommercialTypes)
  if (!known || exact(known, fitting)) return found
  const what = `the image ${want.image} does not run on a ${want.type}`
  const why = `in ${zone} it is for ${closest(want.type, fitting).join(', ') || 'no type'}`
  return [...found, { ...image, what, why, next: 'take another image, or one of these types' }]
}

/** What is proposed for a node has at least 4 GiB: the types that Kapsule refuses have less. */
const leastRam = 4 * 2 ** 30

/** Node types are the server types, less a few that the inventory knows. */
export const checkPool: Check = async ({ step, want, scaleway, catalogue }) => {
  const zone: string = want.zone ?? scaleway.zone
  const [types, stock] = await Promise.all([catalogue.types(zone), catalogue.stock(zone)])
  const nodes =
    types &&
    Object.fromEntries(Object.entries(types).filter(([name, it]) => same(name, want.type) || it.ram >= leastRam))
  const wrong = wrongType(want.type, zone, nodes, stock)
  return wrong ? [{ step: step.id, field: 'type', ...wrong }] : []
}

const wrongType = (
  type: string,
  zone: string,
  types: Types | null,
  stock: Stock | null,
): Pick<Finding, 'what' | 'why' | 'next'> | null => {
  if (!types) return null
  const name = exact(type, Object.keys(types))
  const ended = name !== undefined && types[name]!.endOfService
  if (name && !ended && stock?.[name] !== 'shortage') return null
  const offered = Object.keys(types).filter(it => !types[it]!.endOfService && stock?.[it] !== 'shortage')
  const near = closest(
    type,
    offered.filter(it => !same(it, type)),
  )
  const next = `take one of ${near.join(', ')}`
  if (!name) return { what: `there is no type ${type} in ${zone}`, why: 'Scaleway does not offer it there', next }
  if (ended) return { what: `the type ${name} is at its end`, why: 'Scaleway makes no more servers of it', next }
  return {
    what: `the type ${name} is out of stock in ${zone}`,
    why: 'Scaleway says shortage',
    next: `${next}, or wait`,
  }
}

/** Pools write dev1_m for DEV1-M. */
const same = (a: string, b: string) => a.toUpperCase().replaceAll('_', '-') === b.toUpperCase().replaceAll('_', '-')
const exact = (type: string, known: readonly string[]) => known.find(it => same(it, type))
