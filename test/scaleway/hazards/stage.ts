import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scaleway } from '../../../src/scaleway/client.ts'
import { usualDeadlines, type Waited } from '../../../src/scaleway/deadlines.ts'
import type { suite } from '../../support/suite.ts'
import { type Emulated, emulated } from '../emulated.ts'
import type { Wishes } from '../network.ts'

// biome-ignore lint/suspicious/noExplicitAny: what was sent is known by its path
export type Sent = { method: string; path: string; query: URLSearchParams; body: any }

/** A fetch that keeps what is sent through it. */
export const recording = () => {
  const sent: Sent[] = []
  const send: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    const text = await request.clone().text()
    const { pathname: path, searchParams: query } = new URL(request.url)
    sent.push({ method: request.method, path, query, body: text.startsWith('{') ? JSON.parse(text) : text })
    return fetch(request)
  }
  /** Where in the order the first call of that method went to such a path; -1: never. */
  const first = (method: string, path: RegExp) => sent.findIndex(it => it.method === method && path.test(it.path))
  const all = (method: string, path: RegExp) => sent.filter(it => it.method === method && path.test(it.path))
  return { send, sent, first, all }
}

type Hooks = Pick<ReturnType<typeof suite>, 'before' | 'after'>
/** An emulated project, and a folder for its kubeconfig. */
export type Staged = Emulated & { dir: string; wishes: (more?: Partial<Wishes>) => Wishes }

/** One of its own for each test that asks for it; all go with the file. */
export const stage = ({ after }: Pick<Hooks, 'after'>) => {
  const open: (() => Promise<void>)[] = []
  after(async () => {
    for (const close of open) await close()
  })
  return async (scale?: number): Promise<Staged> => {
    const cloud = await emulated(scale)
    const dir = await mkdtemp(join(tmpdir(), 'egress-stage-'))
    open.push(async () => {
      await cloud.close()
      await rm(dir, { recursive: true, force: true })
    })
    return { ...cloud, dir, wishes: (more = {}) => ({ kubeconfig: join(dir, 'kubeconfig'), ...more }) }
  }
}

/** One for all tests of a file, which is there when the first of them runs. */
export const oneStage = ({ before, after }: Hooks): Staged => {
  const raise = stage({ after })
  let it: Staged | undefined
  before(async () => {
    it = await raise()
  })
  return new Proxy({} as Staged, { get: (_, member) => Reflect.get(it!, member) })
}

/** The same clients with less patience, in milliseconds. */
export const within = <S extends Scaleway>(clients: S, deadlines: Partial<Record<Waited, number>>): S => ({
  ...clients,
  at: (zone: string) => within(clients.at(zone), deadlines),
  deadlines: { ...usualDeadlines, ...deadlines },
})
