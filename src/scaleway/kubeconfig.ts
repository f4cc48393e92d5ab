import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parse } from 'yaml'
import { word } from '../engine/desired.ts'
import type { Kind } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'
import { create, field, update } from './changes.ts'
import type { Scaleway } from './client.ts'
import { orNull } from './problems.ts'

export type KubeconfigWant = { clusterId: string; path: string }
/** `clusterSha256`: what the cluster would give now, null when it is gone. The token is in none of these. */
export type KubeconfigLive = {
  path: string
  server: string | null
  sha256: string
  clusterSha256: string | null
  mode: string
  ours: boolean
}

const header = '# kapsule-egress writes this file: it holds an admin token\n'

/** The admin kubeconfig of a cluster, in a file that only its owner reads. */
export const kubeconfigKind: Kind<KubeconfigWant, KubeconfigLive, Scaleway> = {
  name: 'kubeconfig',
  async read({ clusterId, path }, scaleway) {
    const local = await readLocal(path)
    if (!local) return null
    const remote = await orNull(fetchKubeconfig(scaleway, clusterId))
    return { path, ...local, clusterSha256: remote && sha(remote) }
  },
  diff({ path }, live) {
    if (!live) return create(`kubeconfig ${path}`)
    if (!live.ours)
      throw new Problem(`${path} is not ours to replace`, {
        why: 'a file is there that another hand wrote',
        next: 'move it away, or give another path for the kubeconfig',
        exit: 2,
      })
    const stale = live.sha256 === live.clusterSha256 ? null : ({ name: 'content', action: 'update' } as const)
    return update(`kubeconfig ${path}`, [stale, field('mode', live.mode, '600')])
  },
  async apply(want, scaleway, live) {
    kubeconfigKind.diff(want, live)
    const text = await fetchKubeconfig(scaleway, want.clusterId)
    await writePrivate(want.path, text)
    return {
      path: want.path,
      server: serverOf(text),
      sha256: sha(text),
      clusterSha256: sha(text),
      mode: '600',
      ours: true,
    }
  },
  /** What an older file held is a secret and was not kept; a stale token is of no use either. */
  async undo({ path }, _scaleway, before) {
    if (before) return
    const local = await readLocal(path)
    if (local?.ours) await rm(path, { force: true })
  },
}
export const kubeconfig = word(kubeconfigKind)

/** Where none is yet: writes the one of this cluster there. False: the cluster gives none. */
export const bringKubeconfig = async (scaleway: Scaleway, want: KubeconfigWant): Promise<boolean> => {
  if (await readLocal(want.path)) return true
  const text = await orNull(fetchKubeconfig(scaleway, want.clusterId))
  if (text) await writePrivate(want.path, text)
  return text !== null
}

const fetchKubeconfig = async ({ k8s, hide }: Scaleway, clusterId: string): Promise<string> => {
  // The SDK types it as nothing; it asks for the file itself and gets a Blob.
  const blob = (await k8s.getClusterKubeConfig({ clusterId })) as unknown as Blob
  const text = await blob.text()
  hide(...tokensIn(text))
  return header + text
}

/** The admin tokens: from now on no error and no output shows them. */
const tokensIn = (text: string): string[] => {
  try {
    const { users } = parse(text) as { users?: { user?: { token?: unknown } }[] }
    return (users ?? []).flatMap(it => (typeof it.user?.token === 'string' ? [it.user.token] : []))
  } catch {
    return []
  }
}

const readLocal = async (path: string) => {
  try {
    const [text, { mode }] = await Promise.all([readFile(path, 'utf8'), stat(path)])
    const bits = (mode & 0o777).toString(8)
    return { server: serverOf(text), sha256: sha(text), mode: bits, ours: text.startsWith(header) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new Problem(`${path} cannot be read`, {
      why: String((error as Error).message),
      next: 'make the file readable for this user, or move it away',
      cause: error,
    })
  }
}

/** Never half there, and never readable for others, not even for a moment. */
const writePrivate = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
    await file.close()
    await rename(temporary, path)
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(temporary, { force: true })
    throw error
  }
}

const serverOf = (text: string): string | null => {
  try {
    const { clusters } = parse(text) as { clusters?: { cluster?: { server?: string } }[] }
    return clusters?.[0]?.cluster?.server ?? null
  } catch {
    return null
  }
}

const sha = (text: string): string => createHash('sha256').update(text).digest('hex')
