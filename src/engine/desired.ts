import type { Json } from './json.ts'
import type { AnyKind, Kind } from './kind.ts'

/** Stands for a value that another Desired gives, and draws the dependency. JSON, so it can be kept. */
export type Ref = { $ref: string; path: string }

/** One thing that should be true: data, and the name of its Kind. */
export type Desired = {
  id: string
  kind: AnyKind
  want: Json
  /** Order without data: ids that must be finished first. */
  after: string[]
}

/** A value, or a Ref to one, at any depth. */
export type Wanting<T> =
  | Ref
  | (T extends (infer E)[] ? Wanting<E>[] : T extends object ? { [K in keyof T]: Wanting<T[K]> } : T)

/** `main.out.id` is a Ref to the member `id` of what is live. */
export type Outputs<Live> = { readonly [K in keyof Live & string]-?: Ref }

export type Built<Live> = Desired & { readonly out: Outputs<Live> }

/** Turns a Kind into a word for playbooks: `privateNetwork('egress', { vpcId: main.out.id })`. */
export const word =
  <Want extends Json, Live extends Json, Clients>(kind: Kind<Want, Live, Clients>) =>
  (name: string, want: Wanting<Want>, { after = [] }: { after?: Desired[] } = {}): Built<Live> => {
    const id = `${kind.name}/${name}`
    const out = new Proxy({} as Outputs<Live>, { get: (_, path) => ({ $ref: id, path: String(path) }) })
    return { id, kind, want: want as Json, after: after.map(it => it.id), out }
  }
