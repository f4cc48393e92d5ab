import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { put, readText } from './files.ts'
import { inodeOf, kill, netnsFile, netnsInode } from './netns.ts'
import { pause } from './run.ts'
import type { World } from './world.ts'

export type Background = { name: string; netns: string; command: string[] }

/**
 * The sandbox's own servers inside its namespaces (name servers, the internet's web servers). They outlive the daemon;
 * one that ends is started again within a second as long as a daemon watches.
 */
export const createBackground = (world: World) => {
  const directory = join(world.hosts, 'background')
  mkdirSync(directory, { recursive: true })
  const kept = new Map<string, Background>()
  const file = (name: string, kind: string) => join(directory, `${name}.${kind}`)

  const pid = ({ name, netns, command }: Background): number | null => {
    const found = Number(readText(file(name, 'pid')) ?? 0)
    if (!found || inodeOf(found) !== (netnsInode(netns) ?? -1)) return null
    // another command line: it is a recycled pid, or what an older daemon started with other settings
    return readText(`/proc/${found}/cmdline`)?.split('\0').slice(0, -1).join('\0') === command.join('\0') ? found : null
  }

  const entering = ({ netns, command }: Background) => ['/usr/bin/nsenter', `--net=${netnsFile(netns)}`, ...command]

  /** On its way in: nsenter has not become the command yet. A second one would find the first one's address taken. */
  const starts = (it: Background): boolean => {
    const found = Number(readText(file(it.name, 'pid')) ?? 0)
    return (
      found > 0 && readText(`/proc/${found}/cmdline`)?.split('\0').slice(0, -1).join('\0') === entering(it).join('\0')
    )
  }

  const start = (it: Background) => {
    const [program, ...words] = entering(it) as [string, ...string[]]
    const log = openSync(file(it.name, 'log'), 'a')
    const child = spawn(program, words, {
      detached: true,
      stdio: ['ignore', log, log],
    })
    child.on('error', thrown => console.error(`${it.name}: ${String(thrown)}`))
    closeSync(log)
    child.unref()
    if (child.pid) put(file(it.name, 'pid'), `${child.pid}\n`)
  }

  /** nsenter becomes the command in place: the pid is the same, the command line changes when it is done. */
  const settled = async (it: Background, ready: () => Promise<boolean>) => {
    for (const until = Date.now() + 8000; Date.now() < until; await pause(10))
      if (pid(it) !== null && (await ready())) return
    throw new Error(
      `${it.name} does not answer: ${readText(file(it.name, 'log'))?.trim().slice(-500) || 'it says nothing'}`,
    )
  }

  const watch = setInterval(() => {
    for (const it of kept.values()) if (netnsInode(it.netns) !== null && pid(it) === null && !starts(it)) start(it)
  }, 1000)
  watch.unref()

  return {
    /** Starts it unless it runs, and returns when `ready` says so. The command's first word is an absolute path. */
    async keep(it: Background, ready: () => Promise<boolean> = async () => true) {
      if (pid(it) === null && !starts(it)) {
        const old = Number(readText(file(it.name, 'pid')) ?? 0)
        if (old && inodeOf(old) === (netnsInode(it.netns) ?? -1)) kill(old, 'SIGKILL')
        start(it)
      }
      kept.set(it.name, it)
      await settled(it, ready)
    },
    hangUp(name: string) {
      const it = kept.get(name)
      const at = it && pid(it)
      if (at) kill(at, 'SIGHUP')
    },
    end(name: string) {
      const it = kept.get(name)
      kept.delete(name)
      const at = it && pid(it)
      if (at) kill(at, 'SIGKILL')
      for (const kind of ['pid', 'log']) rmSync(file(name, kind), { force: true })
    },
    close: () => clearInterval(watch),
  }
}

export type Backgrounds = ReturnType<typeof createBackground>
