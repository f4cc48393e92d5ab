import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { Problem } from '../engine/problem.ts'

/** One context of a kubeconfig, ready to connect with. Holds secrets: never print it. */
export type Access = {
  server: string
  tls: { ca?: string; cert?: string; key?: string; rejectUnauthorized: boolean; servername?: string }
  token: string | undefined
}

type Named<K extends string, T> = { name: string } & { [P in K]?: T }

type File = {
  'current-context'?: string
  contexts?: Named<'context', { cluster: string; user: string }>[]
  clusters?: Named<'cluster', Record<string, string | boolean>>[]
  users?: Named<'user', Record<string, unknown>>[]
}

/** Reads one context (default: the current one). Files it names are relative to it, as kubectl has it. */
export const readKubeconfig = async (path: string, context?: string): Promise<Access> => {
  const wrong = (why: string, cause?: unknown) =>
    new Problem(`kubeconfig ${path} cannot be used`, {
      why,
      next: 'give a kubeconfig with a token or a client certificate (kubectl config view --flatten --minify --raw)',
      exit: 2,
      cause,
    })
  let file: File
  try {
    // The parser's own message quotes lines of the file, and with them tokens.
    file = (parse(await readFile(path, 'utf8'), { prettyErrors: false }) ?? {}) as File
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw wrong(code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code ?? 'not YAML'})`)
  }
  const wanted = context ?? file['current-context']
  const chosen = file.contexts?.find(it => it.name === wanted)?.context
  if (!chosen) throw wrong(wanted ? `it has no context ${wanted}` : 'it has no current-context')
  const cluster = file.clusters?.find(it => it.name === chosen.cluster)?.cluster
  const user = file.users?.find(it => it.name === chosen.user)?.user ?? {}
  if (!cluster?.server) throw wrong(`it has no server for cluster ${chosen.cluster}`)
  if (cluster['proxy-url']) throw wrong('proxy-url is not supported')
  if (user.exec || user['auth-provider'])
    throw wrong(`user ${chosen.user} needs a login plugin, which is not supported`)
  const inline = async (entry: Record<string, unknown>, name: string): Promise<string | undefined> => {
    const data = entry[`${name}-data`]
    if (typeof data === 'string' && data) return Buffer.from(data, 'base64').toString()
    return fromFile(entry[name])
  }
  const fromFile = async (name: unknown): Promise<string | undefined> => {
    if (typeof name !== 'string' || !name) return undefined
    try {
      return await readFile(resolve(dirname(path), name), 'utf8')
    } catch (cause) {
      throw wrong(`${name} cannot be read (${(cause as NodeJS.ErrnoException).code})`)
    }
  }
  const [ca, cert, key] = await Promise.all([
    inline(cluster, 'certificate-authority'),
    inline(user, 'client-certificate'),
    inline(user, 'client-key'),
  ])
  const token = typeof user.token === 'string' && user.token ? user.token : (await fromFile(user.tokenFile))?.trim()
  const name = cluster['tls-server-name']
  return {
    server: String(cluster.server).replace(/\/+$/, ''),
    tls: {
      rejectUnauthorized: cluster['insecure-skip-tls-verify'] !== true,
      ...(ca && { ca }),
      ...(cert && key && { cert, key }),
      ...(typeof name === 'string' && { servername: name }),
    },
    token,
  }
}
