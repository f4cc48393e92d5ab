import { createHash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { type Journal, readJournals } from '../../engine/journal.ts'
import { Problem } from '../../engine/problem.ts'
import type { Context } from '../../inventory/context.ts'
import type { Kube } from '../../rollout/kube/kube.ts'
import { readKubeconfig } from '../../rollout/kube/kubeconfig.ts'
import { type Held, type Leader, takeLease } from '../../rollout/kube/lease.ts'
import type { KubeObject } from '../../rollout/kube/object.ts'
import { KubeProblem } from '../../rollout/kube/problem.ts'
import { ofEarlierRun } from '../../rollout/requests.ts'
import type { Output } from '../output.ts'

/** The Lease of a context in each cluster that a run writes to: taken before the first write, or when asked for. */
export type Leadership = {
  /** Of the cluster behind a kubeconfig; takes it where that was not done yet. `kube`: its client, which asks nobody. */
  of(kubeconfig: string, kube: Kube): Promise<Held>
  /** Before a write outside of them: throws NotLeader where one of those that were taken is lost. */
  check(): Promise<void>
  release(): Promise<void>
}

type Run = { command: string; run: string; state: string; context: Context; journal: Journal; abort: AbortSignal }

export const createLeadership = (run: Run, output: Pick<Output, 'say' | 'event'>): Leadership => {
  const leases = new Map<string, { kube: Kube; held: Promise<Held> }>()
  /** Of clusters that were made anew meanwhile. */
  const left: Promise<void>[] = []
  const letGo = (held: Promise<Held>) => held.then(it => it.release()).catch(() => undefined)
  const take = async (kubeconfig: string, kube: Kube): Promise<Held> => {
    await sameCluster(run, kubeconfig, kube)
    const { context, abort } = run
    const about = { context: context.context, signal: abort, say: output.say, stale: ofEarlierRun }
    const held = await takeLease(kube, leaderOf(run), about)
    const { tookOverFrom: from } = held
    if (from) {
      output.say(`took over the Lease of ${from.who}, who held it since ${from.since} and no longer renews it`)
      output.event('lease-taken-over', { from })
    }
    return held
  }
  return {
    of(kubeconfig, kube) {
      const known = leases.get(kubeconfig)
      if (known?.kube === kube) return known.held
      if (known) left.push(letGo(known.held))
      const held = take(kubeconfig, kube)
      leases.set(kubeconfig, { kube, held })
      held.catch(() => leases.get(kubeconfig)?.held === held && leases.delete(kubeconfig))
      return held
    },
    async check() {
      for (const { held } of leases.values()) await (await held).check()
    },
    async release() {
      await Promise.all([...left, ...[...leases.values()].map(it => letGo(it.held))])
    },
  }
}

type Early = Pick<Run, 'context' | 'state'> & { clients: { lead?(kubeconfig: string): Promise<Held> } }

/** Before anything is planned, where a cluster is known; one that does not answer is led when it is written to. */
export const leadEarly = async ({ clients, context, state }: Early): Promise<Held | undefined> => {
  const kubeconfig = context.cluster.kubeconfig ?? join(state, 'kubeconfig')
  if (!existsSync(kubeconfig)) return undefined
  try {
    return await clients.lead?.(kubeconfig)
  } catch (thrown) {
    if (!(thrown instanceof KubeProblem) || ![0, 401].includes(thrown.status)) throw thrown
    return undefined
  }
}

const leaderOf = ({ command, run, state }: Run): Leader => {
  const { dev, ino } = statSync(state)
  const here = createHash('sha256').update(`${hostname()} ${dev} ${ino}`).digest('hex').slice(0, 16)
  return { who: `${command} by ${userName()}@${hostname()}, process ${process.pid}`, run, state: here }
}

const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    return 'unknown'
  }
}

/**
 * The first run writes down which cluster this is; later ones compare. A cluster that we make is known by its address
 * and authority, which a new one does not share; one that we are given is known by where its kubeconfig is.
 */
const sameCluster = async ({ state, context, journal }: Run, kubeconfig: string, kube: Kube): Promise<void> => {
  const { kubeconfig: given, kubeconfigContext = '' } = context.cluster
  const { server, tls } = await readKubeconfig(kubeconfig, { context: context.cluster.kubeconfigContext })
  const known = given === undefined ? `${server} ${sha(tls.ca ?? '')}` : `${kubeconfig} ${kubeconfigContext}`
  const found = await kube.get<KubeObject>({ apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' })
  const uid = found?.metadata.uid
  if (!uid)
    throw new Problem(`${kubeconfig} leads to no whole cluster`, {
      why: 'it has no namespace kube-system, by which a cluster is known',
      next: 'look whether the kubeconfig is the right one; nothing was touched in the cluster',
    })
  const notes = readJournals(state).flatMap(it => (it.event === 'note' && it.topic === 'cluster' ? [it] : []))
  const last = notes.findLast(it => (it.data as Noted).known === known)
  const before = last && (last.data as Noted).uid
  if (before === uid) return
  if (before === undefined) return journal.record({ event: 'note', topic: 'cluster', data: { known, uid } })
  throw new Problem(`${kubeconfig} leads to another cluster than before`, {
    why: `its kube-system is ${uid}; run ${last!.run} saw ${before}, and what is journalled is about that one`,
    next: `put the right kubeconfig there; if the old cluster is gone for good, move ${state}/runs away; nothing was touched in the cluster`,
  })
}

type Noted = { known: string; uid: string }

const sha = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)
