import type { Entry, Recorded } from '../../engine/journal.ts'

/** What somebody who is not watching wants to hear of a rollout. */
export type News = {
  event: 'phase-begun' | 'phase-passed' | 'phase-failed' | 'paused' | 'resumed' | 'abort-asked' | 'taking-back'
    | 'rollout-passed' | 'rolled-back' | 'run-ended' // biome-ignore format: one word after the other
  text: string
  phase?: string
  why?: string
}

/** What happened to one workload. `want`: of its step. */
export type Sighting = {
  reason: 'EgressMoved' | 'EgressVerified' | 'EgressRolledBack'
  want: Moved
  uid: string | undefined
  note: string
}
type Moved = { kubeconfig: string; namespace: string; kind: string; name: string }

type Heard = { news: News[]; sightings: Sighting[] }
type Started = Extract<Entry, { event: 'started' }>

/** Reads a journal as it is written. `history`: what was written before, asked where a run takes back what others did. */
export const createReporter = (history: () => readonly Recorded[]) => {
  const steps = new Map<string, { started: Started; uid?: string | undefined }>()
  const phases = new Set<string>()
  const failed = new Set<string>()
  const undoing = new Set<string>()
  let phase = ''
  let back = false
  let earlier: readonly Recorded[] | undefined

  const stepOf = (id: string) => {
    const known = steps.get(id)
    if (known) return known
    earlier ??= history()
    const started = earlier.findLast((it): it is Recorded & Started => it.event === 'started' && it.step === id)
    if (!started) return undefined
    const done = earlier.findLast(it => it.event === 'done' && it.step === id)
    const step = { started, uid: uidOf(done?.event === 'done' ? done.now : started.before) }
    steps.set(id, step)
    return step
  }
  const seen = (id: string, reason: Sighting['reason'], note: string): Sighting[] => {
    const step = stepOf(id)
    if (step?.started.kind !== 'workload-egress') return []
    return [{ reason, want: step.started.want as Moved, uid: step.uid, note }]
  }
  const failedOnce = (why: string): News[] => {
    if (failed.has(phase)) return []
    failed.add(phase)
    return [{ event: 'phase-failed', text: `phase ${phase || 'gateway'} did not hold`, phase, why }]
  }

  const noted = (topic: string, data: Noted): Heard => {
    const name = data.group?.slice('rollout/'.length) ?? ''
    switch (topic) {
      case 'gate':
        if (data.dryRun || data.verdict?.verdict === 'pass') return nothing
        return only(failedOnce(`${data.tenant}/${data.workload}: ${data.gate}: ${data.verdict?.reason}`))
      case 'phase-paused':
        return only([{ event: 'paused', text: `paused before ${name} by ${data.by}`, phase: name, why: untilOf(data) }])
      case 'phase-promoted':
        return only([{ event: 'resumed', text: `going on with ${name}`, phase: name }])
      case 'asked':
        return data.what === 'abort' ? only([{ event: 'abort-asked', text: `${data.by} asked to abort` }]) : nothing
      case 'set-aside':
        back = false
        failed.delete(phase)
        return only([
          {
            event: 'rolled-back',
            text: `what moved of ${data.tenants?.join(', ')} was taken back; it goes on with ${data.others?.join(', ')}`,
          },
        ])
      case 'phase-passed': {
        const sightings = (data.workloads ?? []).flatMap(it => seen(it, 'EgressVerified', `gates of ${name} passed`))
        return { news: [{ event: 'phase-passed', text: `phase ${name} passed`, phase: name }], sightings }
      }
      case 'rollout-passed':
        return phases.size > 0 ? only([{ event: 'rollout-passed', text: 'the rollout passed' }]) : nothing
      default:
        return nothing
    }
  }

  return {
    heard(entry: Entry): Heard {
      switch (entry.event) {
        case 'started': {
          if (!entry.group.startsWith('rollout/')) return nothing
          steps.set(entry.step, { started: entry, uid: uidOf(entry.before) })
          phase = entry.group.slice('rollout/'.length)
          if (phases.has(phase)) return nothing
          phases.add(phase)
          return only([{ event: 'phase-begun', text: `phase ${phase} begun`, phase }])
        }
        case 'done': {
          const step = steps.get(entry.step)
          if (!step) return nothing
          step.uid = uidOf(entry.now) ?? step.uid
          const note = `${step.started.group.slice('rollout/'.length)}: its pods leave by the proxy`
          return { news: [], sightings: seen(entry.step, 'EgressMoved', note) }
        }
        case 'failed':
          return steps.has(entry.step) ? only(failedOnce(`${entry.step}: ${entry.error}`)) : nothing
        case 'undoing':
          undoing.add(entry.step)
          if (back || !stepOf(entry.step)?.started.group.startsWith('rollout/')) return nothing
          back = true
          return only([{ event: 'taking-back', text: 'what moved is being taken back' }])
        case 'undone':
          // What went with its cluster was not taken back.
          if (!undoing.delete(entry.step)) return nothing
          return { news: [], sightings: seen(entry.step, 'EgressRolledBack', 'its pods leave as before') }
        case 'note':
          return noted(entry.topic, (entry.data ?? {}) as Noted)
        case 'run-ended': {
          const { status } = entry
          if (back && (status === 'ok' || status === 'rolled-back'))
            return only([{ event: 'rolled-back', text: 'what moved was taken back' }])
          if (status === 'ok' || (phases.size === 0 && !back)) return nothing
          return only([{ event: 'run-ended', text: `the run ended: ${status}`, why: status }])
        }
        default:
          return nothing
      }
    },
  }
}

type Noted = {
  group?: string
  by?: string
  until?: string | null
  what?: string
  workloads?: string[]
  tenant?: string
  workload?: string
  tenants?: string[]
  others?: string[]
  gate?: string
  dryRun?: boolean
  verdict?: { verdict: string; reason?: string }
}

const nothing: Heard = { news: [], sightings: [] }
const only = (news: News[]): Heard => ({ news, sightings: [] })

const untilOf = ({ until }: Noted) => (until ? `until ${until}` : 'until --promote or --resume')

const uidOf = (live: unknown): string | undefined => (live as { uid?: string } | null)?.uid
