import { type Desired, word } from '../../src/engine/desired.ts'
import { noJournal } from '../../src/engine/journal.ts'
import type { Json } from '../../src/engine/json.ts'
import type { AnyKind, Change } from '../../src/engine/kind.ts'
import type { World } from '../../src/engine/world.ts'

export type Of = { live?: Json; change?: Change | null; want?: Json; after?: Desired[] } & Partial<AnyKind>

/** A thing that is seen and compared as it is told: absent and to be made unless `live` is given. */
export const thing = (id: string, { live = null, change, want = {}, after = [], ...rest }: Of = {}): Desired => {
  const [name, ...words] = id.split('/') as [string, ...string[]]
  const kind: AnyKind = {
    name,
    read: async () => live,
    diff: (_want, seen) =>
      change !== undefined ? change : seen ? null : { action: 'create', summary: `create ${id}` },
    apply: async () => live ?? { id: `made-${id}` },
    undo: async () => undefined,
    ...rest,
  }
  return word(kind)(words.join('/'), want as never, { after })
}

export const from = ({ id }: Desired, path = 'id') => ({ $ref: id, path })

export const worldFor = (): World => {
  const signal = new AbortController().signal
  return { clientsFor: () => null, journal: noJournal('test'), watch() {}, stop: signal, abort: signal }
}
