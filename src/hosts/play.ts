import { word } from '../engine/desired.ts'
import { type Json, sameJson } from '../engine/json.ts'
import type { Detail, Kind, Report } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'
import type { HostAddress } from './address.ts'
import { refuseToLoseSudo } from './become.ts'
import type { Bundle, BundleStep } from './bundle.ts'
import { look, lookBody, newMark, parseLook, type Seen } from './exchange.ts'
import type { Guard } from './guard/guard.ts'
import { guardPath } from './guard/zones.ts'
import { type Health, healthStep } from './health.ts'
import { joined } from './joined.ts'
import { refuseOddWords } from './odd-words.ts'
import { settled } from './settle.ts'
import type { Ssh } from './ssh.ts'
import { kindOf, notifies, type Task, titleOf } from './tasks/all.ts'
import { leavingBy } from './tasks/package-leaving.ts'

/**
 * What should be true on one host. Handlers are sh commands, run once at the end, in this order, if notified. After a
 * change the host must pass `health`, or it puts everything back as it was.
 */
export type HostPlay = { host: HostAddress; tasks: Task[]; handlers: Record<string, string>; health?: Health[] }

/** One exchange looks, one changes. What was looked at is kept whole, so it can be put back from the journal. */
export const hostPlay: Kind<HostPlay, Seen, { ssh: Ssh }> = {
  name: 'host-play',
  looksThroughParents: true,
  // Packages, on a server that has just booted.
  takes: { create: 60, update: 60 },

  async read({ host, tasks, handlers }, { ssh }, report) {
    refuseOddWords(tasks)
    refuseTwins(host, tasks)
    refuseToLoseSudo(
      host,
      tasks.flatMap(it => (it.task === 'package' ? leavingBy(it) : [])),
    )
    refuseNobody({ host, tasks, handlers })
    return look(ssh, host, tasks, options(report))
  },

  diff(want, seen) {
    const changing = seen ? dueOf(want, seen) : []
    const found = seen ? differences(want, seen, changing) : []
    if (seen && found.length === 0) return null
    const last = [...Object.keys(want.handlers).map(it => `handler ${it}`), 'health check']
    const at = ({ name }: Detail) => last.indexOf(name)
    // As the run will do them: tasks, handlers in their order, the check.
    const details = seen ? [...found, ...followers(want, seen, changing)].sort((a, b) => at(a) - at(b)) : []
    return { action: 'update', summary: `${want.host.name}: ${count(found.length)}`, details }
  },

  async apply(want, { ssh }, live, report) {
    const { host, tasks, handlers, health = [] } = want
    const seen = live ?? (await look(ssh, host, tasks, options(report)))
    const steps = joined(dueOf(want, seen).map(({ task }) => forward(task, seen)))
    const mark = newMark()
    const bundle = { steps, handlers, health: health.map(healthStep), look: lookBody(tasks, mark) }
    const said = await change(ssh, host, bundle, report)
    const now = parseLook(tasks, mark, said) ?? (await look(ssh, host, tasks, options(report)))
    const left = differences(want, now)
    if (left.length)
      throw new Problem(`${host.name}: changes did not hold: ${left.map(it => it.name).join(', ')}`, {
        why: left
          .map(it => `${it.name}: ${it.diff ?? it.action}`)
          .join('\n')
          .slice(0, 2000),
        next: 'find what else manages these on the host (a package, cloud-init, another tool), then run the command again',
      })
    return now
  },

  async undo({ host, tasks, handlers }, { ssh }, before, _now, report) {
    if (!before) return
    const seen = await look(ssh, host, tasks, options(report))
    const steps = joined(
      tasks
        .filter(task => before.states[titleOf(task)] !== undefined)
        .filter(task => !kindOf(task).same(stateOf(before, task), stateOf(seen, task), task))
        .reverse()
        .map(task => backward(task, before, seen)),
    )
    const owes = owed({ handlers }, seen).length > 0 || seen.pending.includes('health check')
    if (steps.length || owes) await change(ssh, host, { steps, handlers }, report)
  },
}

export const play = word(hostPlay)

// Most runs find nothing to change, and need none of it.
const change = async (ssh: Ssh, host: HostAddress, bundle: Bundle, report: Report): Promise<string> =>
  (await import('./bundle.ts')).runBundle(ssh, host, bundle, report)

const options = (report: Report) => ({
  signal: report.signal,
  waiting: (what: string) => report.waiting(what),
  // A server that was just made gets the time to boot; while planning there is none.
  ...(report.planning && { bootSeconds: 3 }),
})

const stateOf = (seen: Seen, task: Task) => seen.states[titleOf(task)]

const owed = ({ handlers }: Pick<HostPlay, 'handlers'>, { pending }: Seen) =>
  Object.keys(handlers).filter(it => pending.includes(it))

type Due = { task: Task; detail: Detail }

const dueOf = ({ tasks }: HostPlay, seen: Seen): Due[] =>
  settled(tasks, seen).flatMap(task => {
    const detail = kindOf(task).diff(task, stateOf(seen, task))
    return detail ? [{ task, detail }] : []
  })

const differences = (it: HostPlay, seen: Seen, due = dueOf(it, seen)): Detail[] => [
  ...due.map(it => it.detail),
  ...owed(it, seen).map(name => ({
    name: `handler ${name}`,
    action: 'update' as const,
    diff: 'an earlier run changed what it follows, and ended before it ran',
  })),
  ...(it.health?.length && seen.pending.includes('health check')
    ? [{ name: 'health check', action: 'update' as const, diff: 'an earlier run ended before it was asked' }]
    : []),
]

/** Handlers that will run because of what differs: not differences themselves, but the run will do them. */
const followers = ({ handlers }: HostPlay, seen: Seen, due: Due[]): Detail[] =>
  Object.keys(handlers)
    .filter(name => !seen.pending.includes(name))
    .map(name => ({ name, after: due.filter(it => notifies(it.task).includes(name)).map(it => titleOf(it.task)) }))
    .filter(({ after }) => after.length > 0)
    .map(({ name, after }) => ({ name: `handler ${name}`, action: 'update', diff: `follows ${after.join(', ')}` }))

const forward = (task: Task, seen: Seen): BundleStep => {
  const kind = kindOf(task)
  const state = stateOf(seen, task)
  const { retries, delaySeconds, timeoutSeconds } = task
  return {
    ...step(task, state, kind.change(withCheck(task), state), (kind.restoreHere ?? kind.restore)(task, state)),
    ...(retries !== undefined && { retries }),
    ...(delaySeconds !== undefined && { delaySeconds }),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
  }
}

const backward = (task: Task, before: Seen, now: Seen): BundleStep => {
  const kind = kindOf(task)
  const state = stateOf(now, task)
  return step(task, state, kind.restore(task, stateOf(before, task)), kind.restore(task, state))
}

const step = (task: Task, state: Json | undefined, run: string, back: string): BundleStep => {
  const { live = false } = kindOf(task)
  return { title: titleOf(task), run, back, notify: notifies(task), live, guard: guardOf(task, state) }
}

/** Whatever the kind of task: what is written where sshd, the firewall or the network read it could cut us off. */
const guardOf = (task: Task, state?: Json): Guard | null =>
  kindOf(task).guard?.(task, state) ??
  ('path' in task ? guardPath(task.path, 'confirmSeconds' in task ? task.confirmSeconds : undefined) : null)

/** A candidate for sshd is tried by sshd itself before it replaces anything. */
const withCheck = (task: Task): Task => {
  const check = guardOf(task)?.check
  return check && (task.task === 'file' || task.task === 'line' || task.task === 'block') && !task.check
    ? { ...task, check }
    : task
}

const count = (n: number) => `${n} ${n === 1 ? 'difference' : 'differences'}`

/**
 * Titles are how states are told apart, so two tasks about the same thing are a mistake in the play. So are tries of
 * what could cut us off: the second would keep what the first has left as the state to go back to.
 */
const refuseTwins = (host: HostAddress, tasks: Task[]) => {
  const bold = tasks.find(it => it.retries && guardOf(it))
  if (bold) throw new Error(`the play for ${host.name} tries ${titleOf(bold)} again, which could cut us off`)
  const titles = new Map<string, Task>()
  for (const task of tasks) {
    const twin = titles.get(titleOf(task))
    if (twin && !sameJson(twin, task)) throw new Error(`the play for ${host.name} has two tasks for ${titleOf(task)}`)
    titles.set(titleOf(task), task)
  }
}

/** A misspelt handler would be owed for ever, and a service never hear of its new file. */
const refuseNobody = ({ host, tasks, handlers }: HostPlay) => {
  for (const task of tasks)
    for (const it of notifies(task))
      if (!Object.hasOwn(handlers, it))
        throw new Error(`the play for ${host.name} has no handler ${it}, which ${titleOf(task)} notifies`)
}
