import { readFile } from 'node:fs/promises'
import { delimiter, dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { Problem } from '../../engine/problem.ts'

/** A cluster or user as a kubeconfig has it, and the file that said so: paths in it are relative to that. */
export type Entry = { file: string; data: Record<string, unknown> }

type Named<K extends string> = { name?: string } & { [P in K]?: Record<string, unknown> }

type Config = {
  'current-context'?: string
  contexts?: Named<'context'>[]
  clusters?: Named<'cluster'>[]
  users?: Named<'user'>[]
}

/** What a kubeconfig says of one context. */
export type Chosen = { name: string; cluster: Entry; user: Entry; userName: string }

export type Wrong = (why: string, next?: string) => Problem

/** The Problem of a kubeconfig; quotes nothing of the file, for it holds secrets. */
export const wrongIn =
  (path: string): Wrong =>
  (why, next = 'look at it with: kubectl config view --minify') =>
    new Problem(`kubeconfig ${path} cannot be used`, { why, next, exit: 2 })

/**
 * One context (absent: the current one) of a kubeconfig, or of several joined by `:` as in KUBECONFIG: the first
 * that says something of a name wins, and of several those that are not there are skipped.
 * @see kubectl config --help, "loading order"
 */
export const chooseContext = async (path: string, context: string | undefined): Promise<Chosen> => {
  const wrong = wrongIn(path)
  const paths = path.split(delimiter).filter(it => it !== '')
  const files = await Promise.all(
    paths.map(async file => ({ file, config: await read(file, paths.length > 1, wrong) })),
  )
  const found = <K extends 'context' | 'cluster' | 'user'>(kind: K, name: unknown): Entry | undefined => {
    for (const { file, config } of files) {
      const lists = (config?.[`${kind}s` as const] ?? []) as Named<K>[]
      const entry = lists.find(it => it?.name === name)
      if (entry) return { file, data: (entry[kind] as Record<string, unknown> | undefined) ?? {} }
    }
    return undefined
  }
  const name = context ?? files.map(it => it.config?.['current-context']).find(it => it)
  if (!name) throw wrong('it has no current-context')
  const chosen = found('context', name)?.data
  if (!chosen) throw wrong(`it has no context ${name}`, 'name one of: kubectl config get-contexts -o name')
  const cluster = found('cluster', chosen.cluster)
  if (!cluster?.data.server) throw wrong(`it has no server for cluster ${chosen.cluster}`)
  const userName = String(chosen.user ?? '')
  const user = found('user', chosen.user) ?? { file: cluster.file, data: {} }
  return { name, cluster, user, userName }
}

const read = async (path: string, maybe: boolean, wrong: Wrong): Promise<Config | undefined> => {
  try {
    // The parser's own message quotes lines of the file, and with them tokens.
    const config = parse(await readFile(path, 'utf8'), { prettyErrors: false }) ?? {}
    if (typeof config === 'object') return config as Config
    throw new SyntaxError()
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' && maybe) return undefined
    throw wrong(code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code ?? 'not YAML'})`)
  }
}

/** `<name>-data` in base64, or the content of the file that `<name>` names. */
export const contentOf = async ({ file, data }: Entry, name: string, wrong: Wrong): Promise<string | undefined> => {
  const inline = data[`${name}-data`]
  if (typeof inline === 'string' && inline) return Buffer.from(inline, 'base64').toString()
  const path = data[name]
  return typeof path === 'string' && path ? readBeside(file, path, wrong) : undefined
}

export const readBeside = async (file: string, path: string, wrong: Wrong): Promise<string> => {
  try {
    return await readFile(resolve(dirname(file), path), 'utf8')
  } catch (cause) {
    throw wrong(`${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`)
  }
}
