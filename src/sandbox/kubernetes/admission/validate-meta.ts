import { bad, barred } from '../objects/mistakes.ts'
import type { Loose, Obj } from '../objects/object.ts'
import type { Mistake } from '../objects/status.ts'

const standard = new Set(['foregroundDeletion', 'orphan', 'kubernetes'])

/** What metadata of every kind must obey, names and labels apart. */
export const metaMistakes = ({ metadata }: Obj, before: Obj | undefined): Mistake[] => [
  ...finalizers(metadata, before?.metadata),
  ...owners(metadata.ownerReferences ?? []),
]

const finalizers = ({ finalizers: list = [] }: Obj['metadata'], was: Obj['metadata'] | undefined): Mistake[] => {
  const plain = list.flatMap((it, index) =>
    standard.has(it) || it.includes('/')
      ? []
      : [
          bad(
            `metadata.finalizers[${index}]`,
            it,
            'name is neither a standard finalizer name nor is it fully qualified',
          ),
        ],
  )
  const late = was?.deletionTimestamp ? list.filter(it => !was.finalizers?.includes(it)) : []
  if (late.length === 0) return plain
  const text = `[]string{${late.map(it => JSON.stringify(it)).join(', ')}}`
  const why = `no new finalizers can be added if the object is being deleted, found new finalizers ${text}`
  return [...plain, barred('metadata.finalizers', why)]
}

const owners = (references: Loose[]): Mistake[] => {
  const empty = references.flatMap(it =>
    ['apiVersion', 'kind', 'name', 'uid']
      .filter(member => !it[member])
      .map(member =>
        bad(
          `metadata.ownerReferences.${member}`,
          '',
          member === 'apiVersion' ? 'version must not be empty' : 'must not be empty',
        ),
      ),
  )
  const [first, second] = references.filter(it => it.controller).map(it => `${it.kind}/${it.name}`)
  if (!second) return empty
  const why = `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${second}`
  return [...empty, bad('metadata.ownerReferences', references, why)]
}
