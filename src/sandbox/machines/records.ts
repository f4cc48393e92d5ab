import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, replaceFile } from './files.ts'
import type { World } from './world.ts'

/**
 * What was made for each host of one kind, kept beside its disk in the tmpfs: it is there as long as the namespaces are,
 * so a daemon that starts after a kill -9 finds what outlived it.
 */
export const createRecords = <T>(world: World, kind: string) => {
  const base = join(world.hosts, kind)
  mkdirSync(base, { recursive: true })
  const all = new Map<string, T>()
  for (const id of readdirSync(base)) {
    const record = readJson<T>(join(base, id, 'record.json'))
    if (record) all.set(id, record)
    else rmSync(join(base, id), { recursive: true, force: true })
  }
  return {
    all,
    directory: (id: string) => join(base, id),
    keep(id: string, record: T) {
      all.set(id, record)
      mkdirSync(join(base, id), { recursive: true })
      replaceFile(join(base, id, 'record.json'), JSON.stringify(record))
    },
    drop(id: string) {
      all.delete(id)
      rmSync(join(base, id), { recursive: true, force: true })
    },
  }
}

/** Names of namespaces. Two hosts of one name happen (two projects, a pod made again): the second gets its id as well. */
export const createNames = (world: World) => {
  const holders = new Map<string, string>(['internet', 'fabric', 'op'].map(it => [world.prefix + it, it]))
  return {
    remember: (netns: string, id: string) => holders.set(netns, id),
    claim(id: string, wanted: string): string {
      const plain = world.prefix + (wanted.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, 150) || 'host')
      const netns = (holders.get(plain) ?? id) === id ? plain : `${plain}-${id.slice(0, 8)}`
      holders.set(netns, id)
      return netns
    },
    release: (netns: string) => holders.delete(netns),
  }
}

export type Names = ReturnType<typeof createNames>
