import type { LeaseObject } from './kube/lease.ts'

/**
 * What an operator asks of a run that is under way, as annotations of its Lease: so it works from another terminal and
 * from another machine, by the right to change the Lease. Each has a key of its own, so that none overwrites another.
 */
export const wishes = ['pause', 'promote', 'abort', 'resume'] as const
export type Wish = (typeof wishes)[number]

/** `tenants` absent: of all. */
export type Request = { id: string; what: Wish; by: string; at: string; tenants?: string[] }

/** How far a rollout is, for whoever looks at its Lease. `tenants`: whose it is; phases count within them. */
export type Course = {
  phase: string
  tenants: string[]
  paused?: { by: string; since: string; until?: string; why: string }
}

const REQUEST = 'request.kapsule-egress/'
const ANSWER = 'answer.kapsule-egress/'
const COURSE = 'kapsule-egress/rollout'

export const asAnnotation = ({ id, ...request }: Request) => ({ [`${REQUEST}${id}`]: JSON.stringify(request) })

export const asAnswer = (id: string, said: string) => ({ [`${REQUEST}${id}`]: null, [`${ANSWER}${id}`]: said })

export const asCourse = (course: Course) => ({ [COURSE]: JSON.stringify(course) })

/** What nobody needs once the run is over. Answers stay for those who asked: they take them away when they have read. */
export const forgotten = (lease: LeaseObject): Record<string, null> => gone(lease, [REQUEST, COURSE])

/** What an earlier run left, answers that nobody took away among it. */
export const ofEarlierRun = (lease: LeaseObject): Record<string, null> => gone(lease, [REQUEST, ANSWER, COURSE])

const gone = ({ metadata: { annotations = {} } }: LeaseObject, begins: readonly string[]): Record<string, null> =>
  Object.fromEntries(
    Object.keys(annotations)
      .filter(key => begins.some(it => key.startsWith(it)))
      .map(key => [key, null]),
  )

export const answerOf = (lease: LeaseObject, id: string): string | undefined =>
  lease.metadata.annotations?.[`${ANSWER}${id}`]

/** Oldest first. What cannot be read is nobody's wish. */
export const requestsOf = (lease: LeaseObject): Request[] =>
  Object.entries(lease.metadata.annotations ?? {})
    .flatMap(([key, value]) => (key.startsWith(REQUEST) ? read<Request>(value, key.slice(REQUEST.length)) : []))
    .filter(it => wishes.includes(it.what) && typeof it.by === 'string')
    .sort((a, b) => (a.at < b.at ? -1 : 1))

export const courseOf = (lease: LeaseObject): Course | undefined =>
  read<Course>(lease.metadata.annotations?.[COURSE] ?? '')[0]

const read = <T>(text: string, id?: string): T[] => {
  try {
    return [{ ...(JSON.parse(text) as T), ...(id !== undefined && { id }) }]
  } catch {
    return []
  }
}
