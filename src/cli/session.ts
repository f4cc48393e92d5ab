import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { tryRecord } from '../engine/apply.ts'
import { graceMs } from '../engine/grace.ts'
import { dropJournal, type Journal, newRunId, noJournal, openJournal, readJournals } from '../engine/journal.ts'
import { type Lock, takeLock } from '../engine/lock.ts'
import { Problem, Problems } from '../engine/problem.ts'
import type { World } from '../engine/world.ts'
import type { Context } from '../inventory/context.ts'
import { loadInventory, type ProblemAt } from '../inventory/load.ts'
import { lagMs } from '../scaleway/make.ts'
import { type Clients, createClients } from './clients.ts'
import type { Flags } from './flags.ts'
import { forTargets } from './limit.ts'
import type { Output } from './output.ts'
import { placed } from './places.ts'
import { createHerald, type Herald } from './rollout/herald.ts'
import { createLeadership, type Leadership } from './rollout/leader.ts'
import { exitOf, statusOf } from './summary.ts'

/** One run of one command in one context. */
export type Session = {
  command: string
  context: Context
  /** A Problem with the line of a value of the context. */
  problemAt: ProblemAt
  flags: Flags
  root: string
  /** `.egress/<context>`: lock, runs, kubeconfig. */
  state: string
  run: string
  output: Output
  clients: Clients
  journal: Journal
  world: World
}

export type SessionOptions = {
  command: string
  flags: Flags
  root: string
  output: Output
  interrupt: Interrupt
  /** Changes something: takes the lock and keeps a journal. */
  writes: boolean
  /** Asks nothing but the inventory: nothing is prepared. */
  offline?: boolean
}

export type Interrupt = { stop: AbortSignal; abort: AbortSignal }

/** Loads the context, prepares it, takes the lock when the command changes things, and lets go of all of it. */
export const withSession = async <T>(options: SessionOptions, work: (session: Session) => Promise<T>): Promise<T> => {
  const { command, flags, root, output, interrupt, writes, offline = false } = options
  const { context: whole, problemAt, warnings } = await loadInventory(flags.context, { root })
  const context = forTargets(whole, flags.limit)
  const state = join(root, '.egress', context.context)
  const run = newRunId()
  output.know({ context: context.context, run })
  for (const { message, why, next } of warnings) output.say(`note: ${message}; ${why}: ${next}`)
  if (context.cluster.kubeconfig) output.say(`note: the cluster of ${context.cluster.kubeconfig} is used, none is made`)
  let lock: Lock | undefined
  let journal: Journal = noJournal(run)
  let clients: Clients | undefined
  let leadership: Leadership | undefined
  let herald: Herald | undefined
  let touched = false
  let lines = 0
  let mistaken = false
  try {
    if (writes) {
      lock = takeLock(state, { run, command })
      const { tookOverFrom } = lock
      if (tookOverFrom) {
        output.say(
          `took over the lock of ${tookOverFrom.command} (run ${tookOverFrom.run}), which ended without letting go`,
        )
        output.event('lock-taken-over', { from: tookOverFrom })
      }
    }
    if (!offline) await prepare(context, root, output, interrupt.stop)
    if (writes) {
      await graceAfter(state, output, interrupt.stop)
      const kept = openJournal(state, run)
      journal = {
        ...kept,
        record(entry, options) {
          touched ||= entry.event === 'started' || entry.event === 'undoing'
          lines += 1
          kept.record(entry, options)
          herald?.heard(entry)
        },
      }
      journal.record({ event: 'run-started', command, context: context.context, pid: process.pid })
      leadership = createLeadership({ command, run, state, context, journal, abort: interrupt.abort }, output)
    }
    clients = createClients(context, interrupt.abort, output, { root, leadership })
    const { clientsFor, kube } = clients
    if (writes) herald = createHerald({ command, run, state, context, output, kube })
    const world: World = { clientsFor, journal, watch() {}, stop: interrupt.stop, abort: interrupt.abort }
    return await work({ command, context, problemAt, flags, root, state, run, output, clients, journal, world })
  } catch (thrown) {
    const error = touched ? asFailure(thrown) : placed(thrown, context, problemAt)
    // A mistake in what was typed, found before anything was noted, is no run that failed.
    mistaken = exitOf(error) === 2 && lines === 1
    if (!mistaken) tryRecord({ journal }, { event: 'run-ended', status: statusOf(exitOf(error)) })
    throw error
  } finally {
    await herald?.close()
    await leadership?.release()
    await clients?.close()
    journal.close()
    if (mistaken) dropJournal(state, run)
    lock?.release()
  }
}

/** What a run made just before it died or failed may not be told yet: looking too early would make it twice. */
const graceAfter = async (state: string, output: Output, stop: AbortSignal) => {
  const ms = graceMs(readJournals(state), lagMs)
  if (ms === 0) return
  output.say(`the last run did not end well: waiting ${Math.ceil(ms / 1000)} s until Scaleway tells of all it made`)
  await sleep(ms, undefined, { signal: stop }).catch(() => {})
}

/** Exit code 2 promises that nothing was touched. */
const asFailure = (error: unknown): unknown => {
  const turned = (it: Problem) =>
    it.exit === 2 ? new Problem(it.message, { why: it.why, next: it.next, exit: 1, cause: it.cause }) : it
  if (error instanceof Problems) return new Problems(error.all.map(turned))
  return error instanceof Problem ? turned(error) : error
}

/** What the context wants started before any run, e.g. the embedded cloud. Quick when it is there already. */
const prepare = async ({ prepare: commands }: Context, root: string, output: Output, stop: AbortSignal) => {
  for (const [file, ...args] of commands) {
    if (file === undefined) continue
    const program = file === 'node' ? process.execPath : file
    const { exitCode, stderr } = await execa(program, args, {
      cwd: root,
      reject: false,
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: ['pipe', ...(output.json ? [] : ['inherit' as const])],
    })
    // A Ctrl-C on a terminal goes to the command as well.
    if (stop.aborted)
      throw new Problem('interrupted before anything was looked at', {
        why: 'you asked for it',
        next: 'run the same command again; nothing was touched',
        exit: 130,
      })
    if (exitCode === 0) continue
    throw new Problem(`${[file, ...args].join(' ')} failed`, {
      why: String(stderr).trim() || `it ended with ${exitCode ?? 'a signal'}`,
      next: 'mend that, then run again; nothing was touched',
    })
  }
}

/** The operator's public key, which goes to the proxies and the bastion. */
export const operatorKey = ({ ssh }: Context): string => {
  const path = `${ssh.identity}.pub`
  if (existsSync(path)) return readFileSync(path, 'utf8').trim()
  throw new Problem(`no public key at ${path}`, {
    why: `ssh.identity of the context is ${ssh.identity}, and its public half is needed for the servers`,
    next: `make one with ssh-keygen -t ed25519 -f ${ssh.identity}, or ssh-keygen -y -f ${ssh.identity} > ${path}`,
    exit: 2,
    of: { step: 'ssh', field: 'identity' },
  })
}
