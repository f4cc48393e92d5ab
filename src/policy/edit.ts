import type { Entry, Lists, Place } from './entry.ts'
import type { Effect } from './policy.ts'

/** One change of what an operator wrote. */
export type Edit =
  | { do: 'add'; list: Effect; entry: Entry }
  | { do: 'remove'; place: Place }
  | { do: 'set'; place: Place; fields: Partial<Entry> }

export type Both = { context: Lists; tenant: Lists }

/** The lists after edits; places keep their numbers, so that several edits can be made. */
export const edited = (lists: Both, edits: Edit[]): Both => {
  const after = {
    context: { allow: [...(lists.context.allow ?? [])], deny: [...(lists.context.deny ?? [])] },
    tenant: { allow: [...(lists.tenant.allow ?? [])], deny: [...(lists.tenant.deny ?? [])] },
  }
  for (const it of edits) {
    if (it.do === 'add') {
      after.tenant[it.list].push(it.entry)
      continue
    }
    const list = after[it.place.of][it.place.list]
    list[it.place.at] = it.do === 'remove' ? undefined : { ...list[it.place.at], ...it.fields }
  }
  return after
}

/** In words; `where` names the file and line of an entry. */
export const editText = (it: Edit, where: (place: Place) => string): string => {
  if (it.do === 'add') return `add to egress.${it.list}: ${flow(it.entry)}`
  if (it.do === 'remove') return `remove the ${it.place.list} entry at ${where(it.place)}`
  return `write ${flow(it.fields).slice(2, -2)} in the entry at ${where(it.place)}`
}

/** As one line of YAML. */
const flow = (entry: Partial<Entry>): string =>
  `{ ${Object.entries(entry)
    .map(([key, value]) => `${key}: ${Array.isArray(value) ? `[${value.join(', ')}]` : text(String(value))}`)
    .join(', ')} }`

const text = (it: string) => (it.includes(':') ? `"${it}"` : it)
