import { setTimeout as delay } from 'node:timers/promises'
import type { RolloutPhase } from '../../../playbooks/rollout.ts'
import { readJournals } from '../../engine/journal.ts'
import type { NotLeader } from '../../rollout/kube/lease.ts'
import { isCanary } from '../../rollout/phases.ts'
import { asCourse, type Course, type Request } from '../../rollout/requests.ts'
import type { Staged } from '../staged.ts'
import { openEar } from './ear.ts'
import { kubeconfigOf } from './gates.ts'
import { endOf, type Pause, pauseBefore } from './pauses.ts'
import { groupOf } from './steps.ts'
import { type Aborted, createWishes } from './wishes.ts'

/** An operator's hand on a rollout that is under way. */
export type Hand = {
  /** Begins a phase, after what it has to wait for: a pause by hand, or one of the inventory before what moves. */
  before(phase: RolloutPhase, moves: boolean, say: (line: string) => void): Promise<void>
  /** Looks once more: has somebody asked to abort, or does another lead by now? Nothing new is to be begun then. */
  isCut(): Promise<boolean>
  readonly aborted: Aborted | undefined
  readonly lost: NotLeader | undefined
  /** From now on what is asked changes nothing: a rollout that is taken back is taken back. */
  takingBack(): void
  /** The aborted are taken back now, and none of this run any more. Waits are ended by nobody meanwhile. */
  settingAside(): Aborted
  /** After that: the others go on, unless they were aborted meanwhile. */
  goingOn(): void
  close(): Promise<void>
}

/**
 * While it is open, an abort or a lost lead also ends the waits of the run: `world.stop` and `world.abort` hear them.
 * Nobody asks anything of a run that leads nowhere.
 */
export const openHand = async (staged: Staged): Promise<Hand> => {
  const { session } = staged
  const { world, journal, output } = session
  const held = await session.clients.lead?.(kubeconfigOf(staged))
  const names = session.context.tenants.map(it => it.tenant)
  const wishes = createWishes(names)
  const own = { stop: world.stop, abort: world.abort }
  let cut = new AbortController()
  const listen = () =>
    Object.assign(world, {
      stop: AbortSignal.any([own.stop, cut.signal]),
      abort: AbortSignal.any([own.abort, cut.signal]),
    })
  listen()
  const free = () => Object.assign(world, own)
  let waiting: string[] | undefined
  let lost: NotLeader | undefined
  let takenBack = false
  let current = ''

  const answer = (request: Request) => {
    const said = wishes.take(request, { phase: current, waiting, takenBack })
    if (wishes.aborted) cut.abort()
    return said
  }
  const onLost = (it: NotLeader) => {
    lost = it
    cut.abort()
  }
  const ear = held && (await openEar(held, session, { answer, onLost }))
  const nap = (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal }).catch(() => undefined)
  const show = (course: Omit<Course, 'tenants'>) =>
    held?.note(asCourse({ ...course, tenants: names })).catch(() => undefined)
  const over = () => cut.signal.aborted || own.stop.aborted

  /** What stands in the way of a phase now. */
  const inTheWay = (name: string, about: readonly string[], pause: Pause | undefined): Paused | undefined => {
    const byHand = wishes.pauseOf(about)
    if (byHand) return askedFor(byHand, name)
    return pause && endOf(pause) > Date.now() && !wishes.arePromoted(about) ? planned(pause, name) : undefined
  }
  const tell = (name: string, paused: Paused, say: (line: string) => void) => {
    const { by, since, until = null } = paused
    say(`paused before ${name}: ${paused.why}`)
    output.event('paused', { before: name, ...paused })
    journal.record({ event: 'note', topic: 'phase-paused', data: { group: groupOf(name), by, since, until } })
    return show({ phase: current, paused })
  }

  return {
    async before(phase, moves, say) {
      const { name } = phase
      const tenants = [...new Set(phase.moves.map(it => it.tenant.tenant))]
      const about = tenants.length > 0 ? tenants : names
      const waits = moves && tenants.length > 0 && !isCanary(phase)
      const pause = waits ? pauseBefore(readJournals(session.state), groupOf(name), phase) : undefined
      wishes.forget()
      await ear?.poll()
      let told = ''
      for (; !over(); await nap(100, world.stop)) {
        const paused = inTheWay(name, about, pause)
        waiting = paused && about
        if (!paused) break
        if (told !== paused.why) await tell(name, paused, say)
        told = paused.why
      }
      waiting = undefined
      if (over()) return
      if (told) {
        say(`going on with ${name}`)
        journal.record({ event: 'note', topic: 'phase-promoted', data: { group: groupOf(name) } })
      }
      current = name
      await show({ phase: name })
    },
    async isCut() {
      await ear?.poll()
      return cut.signal.aborted
    },
    get aborted() {
      return wishes.aborted
    },
    get lost() {
      return lost
    },
    takingBack() {
      takenBack = true
      free()
    },
    settingAside() {
      const now = wishes.setAside()
      cut = new AbortController()
      free()
      return now
    },
    goingOn() {
      listen()
    },
    async close() {
      free()
      await ear?.close()
    },
  }
}

type Paused = NonNullable<Course['paused']>

const askedFor = ({ by, at }: Request, name: string): Paused => ({
  by,
  since: at,
  why: `${by} asked for it; --resume or --promote goes on with ${name}`,
})

const planned = ({ since, until }: Pause, name: string): Paused => ({
  by: 'the inventory',
  since,
  ...(until && { until }),
  why: until ? `until ${until}; --promote goes on with ${name} now` : `until --promote goes on with ${name}`,
})
