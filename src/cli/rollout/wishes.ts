import type { Request } from '../../rollout/requests.ts'

/** Where a rollout is when somebody asks something of it. `waiting`: for whom the phase to come waits. */
export type Where = { phase: string; waiting?: readonly string[] | undefined; takenBack: boolean }

export type Aborted = Request & { tenants: string[] }

/** What operators have asked of a run so far, by tenant. */
export type Wishes = {
  /** What becomes of it, in words for who asks. */
  take(request: Request, where: Where): string
  /** By hand, for any of these tenants. */
  pauseOf(tenants: readonly string[]): Request | undefined
  arePromoted(tenants: readonly string[]): boolean
  /** A promotion is for one phase. */
  forget(): void
  /** Whom somebody has asked to abort, and who are not set aside yet. */
  readonly aborted: Aborted | undefined
  /** From now on they are none of this run. */
  setAside(): Aborted
}

/** `names`: the tenants that the run is about. */
export const createWishes = (names: readonly string[]): Wishes => {
  const paused = new Map<string, Request>()
  const promoted = new Set<string>()
  const aside = new Set<string>()
  let aborted: Aborted | undefined
  const isOver = (tenant: string) => aside.has(tenant) || aborted?.tenants.includes(tenant) === true
  return {
    take(request, { phase, waiting, takenBack }) {
      const { what } = request
      const asked = names.filter(it => request.tenants?.includes(it) ?? true)
      if (asked.length === 0) return `nothing: this run is about ${names.join(', ')}`
      if (takenBack) return 'nothing: the rollout is being taken back'
      const tenants = asked.filter(it => !isOver(it))
      if (tenants.length === 0)
        return `nothing: ${aborted ? `${aborted.by} asked to abort` : `the rollout of ${asked.join(', ')} was taken back`}`
      if (what === 'abort') {
        aborted = { ...request, ...aborted, tenants: [...(aborted?.tenants ?? []), ...tenants] }
        const rest = names.filter(it => !isOver(it))
        const then = rest.length > 0 ? `; then it goes on with ${rest.join(', ')}` : ''
        return `${phase || 'the rollout'} is cut short, and what moved of ${tenants.join(', ')} is taken back${then}`
      }
      if (what === 'pause') {
        for (const it of tenants) paused.set(it, request)
        return waiting ? 'it waits, until --resume' : `it waits before its next phase; ${under(phase)}`
      }
      for (const it of tenants) paused.delete(it)
      if (what === 'resume') return 'it goes on, unless the inventory has it wait'
      if (!waiting) return `nothing waits to be promoted; ${under(phase)}`
      for (const it of tenants) promoted.add(it)
      const others = waiting.filter(it => !promoted.has(it))
      return others.length > 0 ? `it waits for ${others.join(', ')} still` : 'it goes on'
    },
    pauseOf: tenants => tenants.flatMap(it => paused.get(it) ?? [])[0],
    arePromoted: tenants => tenants.every(it => promoted.has(it)),
    forget: () => promoted.clear(),
    get aborted() {
      return aborted
    },
    setAside() {
      const now = aborted!
      for (const it of now.tenants) aside.add(it)
      aborted = undefined
      return now
    },
  }
}

const under = (phase: string) => (phase === '' ? 'no phase has begun' : `now: ${phase}`)
